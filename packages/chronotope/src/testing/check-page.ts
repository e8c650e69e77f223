import assert from 'node:assert/strict';

/** Names of tags that are closed in the wrong order or not at all. */
function unbalanced(page: string): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  const body = page.replace(/<style>.*?<\/style>/s, '').replace('<!doctype html>', '');
  for (const [, closing, name, selfClosing] of body.matchAll(/<(\/?)([a-z][a-z0-9]*)[^<>]*?(\/?)>/g)) {
    if (selfClosing || ['meta', 'img', 'br'].includes(name!)) continue;
    if (!closing) open.push(name!);
    else if (open.pop() !== name) wrong.push(name!);
  }
  return [...wrong, ...open];
}

/** Fails for a page that is broken, runs a script, loads something, or has pictures without a description. */
export function checkPage(page: string): void {
  assert.deepEqual(unbalanced(page), []);
  assert.ok(!/<script/i.test(page), 'no script, whatever classes and files are called');
  assert.ok(!/(?:src|href)="(?!data:|#)/.test(page), 'nothing is loaded');
  assert.ok(!/(?:NaN|undefined|Infinity|\[object)/.test(page.replace(/<style>.*?<\/style>/s, '')));
  for (const [image] of page.matchAll(/<img[^>]*>/g)) assert.match(image, / alt="[^"]+"/);
  for (const [svg] of page.matchAll(/<svg[^>]*>/g)) assert.match(svg, /aria-label="[^"]+"|aria-hidden="true"/);
  const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const [, anchor] of page.matchAll(/href="#([^"]*)"/g)) assert.ok(ids.includes(anchor));
}
