/** Must never bundle: the negative fixture of the replay tests. */
import { lookup } from 'node:dns/promises';

export async function impure(): Promise<string> {
  return (await lookup('localhost')).address;
}
