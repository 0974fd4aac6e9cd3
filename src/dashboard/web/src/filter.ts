/** Filters that live in the address: a reload keeps them, and the way back goes through them. */
import { useSearch } from 'wouter';
import { navigate } from 'wouter/use-browser-location';

/** Names and what they are set to; an empty text takes one away. */
type Changes = Readonly<Record<string, string>>;

/**
 * The filters, and what changes some of them. A choice is a step of its own on the way back; what is typed letter by letter
 * (`isTyped`) is not.
 */
export function useFilter(): [
  URLSearchParams,
  (changes: Changes, how?: { readonly isTyped?: boolean }) => void,
] {
  const values = new URLSearchParams(useSearch());
  return [
    values,
    (changes, { isTyped = false } = {}) => {
      const next = new URLSearchParams(location.search);
      // Another filter is another list: its first page.
      for (const [name, value] of Object.entries({ cursor: '', offset: '', ...changes }))
        if (value === '') next.delete(name);
        else next.set(name, value);
      const text = next.toString();
      navigate(`${location.pathname}${text ? `?${text}` : ''}`, { replace: isTyped });
    },
  ];
}
