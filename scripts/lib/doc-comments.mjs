const DECLARATION = /^export (?:default )?(?:abstract )?(?:async )?(?:function\*?|class) (\w+)/;

/**
 * Exported functions and classes of a TypeScript source that have no doc comment directly above them, each with its
 * line. Of overloads the first is what counts. Interfaces and types may leave the words to their members.
 *
 * @returns {{ name: string, line: number }[]}
 */
export function undocumentedExports(text) {
  const lines = text.split('\n');
  const seen = new Set();
  return lines.flatMap((declaration, at) => {
    const name = DECLARATION.exec(declaration)?.[1];
    if (name === undefined || seen.has(name)) return [];
    seen.add(name);
    return endsDocComment(lines, at - 1) ? [] : [{ name, line: at + 1 }];
  });
}

/** Whether a comment that starts with two stars ends at line `at`; remarks to Biome may stand below it. */
function endsDocComment(lines, at) {
  let line = at;
  while (lines[line]?.startsWith('// biome-ignore')) line -= 1;
  if (!lines[line]?.endsWith('*/')) return false;
  while (line >= 0 && !lines[line].trimStart().startsWith('/*')) line -= 1;
  return lines[line]?.trimStart().startsWith('/**') ?? false;
}
