import { readFileSync } from 'node:fs';
import { type Document, isAlias, isMap, isScalar, type Node, parseDocument } from 'yaml';
import { shippedFile } from './recipe-file.js';

/**
 * What a shipped recipe says beside its settings: where values are from, and why they are as they are.
 *
 * @returns the comment of each setting and group that the recipe writes, by dotted key; '' where it says nothing. Settings
 *   that it leaves at their defaults are missing.
 */
export function remarksOf(name: string): Map<string, string> {
  const document = parseDocument(readFileSync(shippedFile(name), 'utf8'), { merge: true });
  const remarks = new Map<string, string>();
  const base = document.get('extends');
  if (typeof base === 'string') for (const [key, remark] of remarksOf(base)) remarks.set(key, remark);
  collect(document, document.contents, '', remarks);
  return remarks;
}

/** Adds what stands in a mapping below `key`. What it merges with `<<` comes first, so that its own remarks replace that. */
function collect(document: Document, node: unknown, key: string, remarks: Map<string, string>): void {
  if (!isMap(node)) return;
  const isMerge = (name: unknown): boolean => isScalar(name) && typeof name.value === 'symbol';
  for (const { key: name, value } of node.items) {
    if (!isMerge(name)) continue;
    const merged = target(document, value);
    if (!remarks.get(key)) remarks.set(key, remarkOf(merged));
    collect(document, merged, key, remarks);
  }
  for (const { key: name, value } of node.items) {
    // Names with a leading dot hold what others share.
    if (!isScalar(name) || isMerge(name) || `${name.value}`.startsWith('.') || name.value === 'extends') continue;
    const own = key === '' ? `${name.value}` : `${key}.${name.value}`;
    const shared = target(document, value);
    remarks.set(own, remarkOf(value) || remarkOf(shared));
    collect(document, shared, own, remarks);
  }
}

function target(document: Document, value: unknown): unknown {
  return isAlias(value) ? value.resolve(document) : value;
}

/** A comment stands behind a value, or between a key and the mapping below it. */
function remarkOf(value: unknown): string {
  const { comment, commentBefore } = (value ?? {}) as Node;
  return (comment ?? (isMap(value) ? commentBefore : null) ?? '').trim().replaceAll(/\s*\n\s*/g, ' ');
}
