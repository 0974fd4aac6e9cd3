/** What is told of people, tokens, and what they did. */
import { z } from 'zod';
import type { AuditEntry } from '../../../contracts/audit-log.js';
import { ROLES } from '../store.js';
import { list, page, shapeOf } from './common.js';

const role = z.enum(ROLES);
const known = z.object({ name: z.string(), role, createdAt: z.string() });

export const session = z.object({
  user: z.object({ name: z.string(), role }).nullable(),
  csrf: z.string().nullable(),
  csrfHeader: z.string(),
  hasUsers: z.boolean(),
});
export const people = z.object({ users: list(known), tokens: list(known) });
export const secret = z.object({ secret: z.string() });
export const auditPage = page(
  shapeOf<AuditEntry>()(
    z.object({
      ...{ at: z.string(), who: z.string(), role: z.string(), action: z.string(), target: z.string() },
      ...{ detail: z.string(), outcome: z.string() },
    }),
  ),
);
