/**
 * A class name as words for prompts: `ApplyEyeMakeup` and `apply_eye_makeup` become `apply eye makeup`. Names of several
 * words keep their spelling but for the case.
 */
export function spokenName(name: string): string {
  return name
    .replaceAll('_', ' ')
    .replaceAll(/(?<=\p{Ll}|\d)(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .toLowerCase();
}
