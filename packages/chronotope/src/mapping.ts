/** Whether a value is an object with names, and not a list: a group of settings, for example. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
