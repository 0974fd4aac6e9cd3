/** Globs over object keys: `*` and `?` stay within a part, `**` crosses parts, `{a,b}` and `[a-z]` as in a shell. */

/** The key up to its first part with a glob character: what a listing can be limited to. */
export function literalPrefix(pattern: string): string {
  const first = pattern.search(/[*?{[]/);
  return first < 0 ? pattern : pattern.slice(0, first);
}

/** The pattern as a regular expression over whole keys. */
export function globPattern(pattern: string): RegExp {
  let expression = '';
  let braces = 0;
  for (let index = 0; index < pattern.length; index++) {
    const char = pattern[index] as string;
    const rest = pattern.slice(index);
    const set = /^\[(!?)([^\]]+)\]/.exec(rest);
    if (rest.startsWith('**/')) {
      expression += '(?:.*/)?';
      index += 2;
    } else if (rest.startsWith('**')) {
      expression += '.*';
      index += 1;
    } else if (char === '*') expression += '[^/]*';
    else if (char === '?') expression += '[^/]';
    else if (set) {
      expression += `[${set[1] ? '^' : ''}${(set[2] as string).replace(/[\\^]/g, '\\$&')}]`;
      index += set[0].length - 1;
    } else if (char === '{') {
      braces++;
      expression += '(?:';
    } else if (char === '}' && braces > 0) {
      braces--;
      expression += ')';
    } else if (char === ',' && braces > 0) expression += '|';
    else expression += char.replace(/[.+^$()|[\]\\{}]/g, '\\$&');
  }
  return new RegExp(`^${expression}$`, 's');
}
