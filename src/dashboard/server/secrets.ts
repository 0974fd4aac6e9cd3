/** Random secrets, and the hashes that are kept of them. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { hash as argonHash, verify } from '@node-rs/argon2';

export const newSecret = (): string => randomBytes(32).toString('base64url');

/** Of secrets with 256 random bits; passwords go through {@link hashPassword}. */
export const fingerprint = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** Argon2id with the parameters that OWASP asks for: 19 MiB, two passes, one lane. */
export const hashPassword = (password: string): Promise<string> =>
  argonHash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 });

/** What the password of a user who is not there is held against, so that both take as long. */
let nobody: Promise<string> | undefined;

export async function passwordHolds(hash: string | undefined, password: string): Promise<boolean> {
  nobody ??= hashPassword(newSecret());
  const holds = await verify(hash ?? (await nobody), password);
  return holds && hash !== undefined;
}

export function sameText(left: string, right: string): boolean {
  return timingSafeEqual(Buffer.from(fingerprint(left)), Buffer.from(fingerprint(right)));
}
