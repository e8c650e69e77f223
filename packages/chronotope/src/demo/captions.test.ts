import assert from 'node:assert/strict';
import { test } from 'node:test';
import { captionDemoVideo } from './captions.js';
import { demoClasses } from './demo-classes.js';

const VIDEOS = 40;

function captionsOf(classIndex: number, seed = 1): string[] {
  return Array.from({ length: VIDEOS }, (_, index) => captionDemoVideo({ seed, part: 'train', classIndex, index }));
}

test('every caption is one sentence with the name of its class and of no other', () => {
  for (const [classIndex, { name }] of demoClasses.entries()) {
    for (const caption of captionsOf(classIndex)) {
      assert.match(caption, /^[A-Z].*\.$/);
      assert.ok(!caption.includes('{') && !caption.includes('  '), caption);
      const named = demoClasses.filter((other) => new RegExp(`\\b${other.name}\\b`, 'i').test(caption));
      assert.deepEqual(
        named.map((other) => other.name),
        [name],
        caption,
      );
    }
  }
});

test('phrasing varies, and the same video always has the same caption', () => {
  for (const classIndex of demoClasses.keys()) {
    const captions = captionsOf(classIndex);
    assert.deepEqual(captionsOf(classIndex), captions);
    assert.ok(new Set(captions).size > 0.8 * VIDEOS, `${new Set(captions).size} of ${VIDEOS} differ`);
    assert.notDeepEqual(captionsOf(classIndex, 2), captions);
  }
});

test('captions say more than the class: colours of the figure and of the background, sizes, waves', () => {
  const all = [...demoClasses.keys()].flatMap((classIndex) => captionsOf(classIndex)).join(' ');
  for (const word of ['red', 'green', 'blue', 'yellow', 'purple', 'large', 'small', 'background', 'fine waves']) {
    assert.ok(all.includes(word), word);
  }
});
