/** Names of the datasets, for lists to choose from. */
import { useQuery } from '@tanstack/react-query';
import { get } from './api';

const NONE: readonly string[] = [];

/** The first two hundred, by name. */
export function useDatasetNames(): readonly string[] {
  const { data } = useQuery({
    queryKey: ['dataset-names'],
    queryFn: async () =>
      (
        await get<{ value: { rows: Array<{ dataset: string }> } | null }>('/api/datasets?limit=200')
      ).value?.rows.map(({ dataset }) => dataset) ?? [],
    staleTime: 30_000,
  });
  return data ?? NONE;
}
