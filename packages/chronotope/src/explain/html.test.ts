import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { html } from './html.js';

test('whatever is put in, in text or in a quoted attribute, opens no tag and ends no attribute', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const { text } = html`<b title="${value}">${value}</b>`;
      assert.match(text, /^<b title="[^"<>]*">[^<>"]*<\/b>$/);
      assert.ok(!/\p{Cc}/u.test(text.replace(/[\t\n]/g, '')));
    }),
  );
});

test('markup stays markup, lists are joined, null is nothing', () => {
  const items = ['<', '&'].map((name) => html`<li>${name}</li>`);
  assert.equal(html`<ul>${items}${null}${3}</ul>`.text, '<ul><li>&lt;</li><li>&amp;</li>3</ul>');
});
