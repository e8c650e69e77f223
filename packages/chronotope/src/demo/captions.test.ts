import assert from 'node:assert/strict';
import { test } from 'node:test';
import { captionDemoVideo } from './captions.js';
import { demoClasses } from './demo-classes.js';
import { planDemoVideo } from './render.js';

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

test('what captions say is true: other things nearby, the way of a change, the surface', () => {
  for (const classIndex of demoClasses.keys()) {
    for (let index = 0; index < VIDEOS; index++) {
      const name = { seed: 1, part: 'train', classIndex, index } as const;
      const { nuisance, performance } = planDemoVideo(name);
      const caption = captionDemoVideo(name);
      if (caption.includes('nothing else')) assert.equal(nuisance.distractors.length, 0, caption);
      if (caption.includes('with something small')) assert.equal(nuisance.distractors.length, 1, caption);
      if (caption.includes('moving about'))
        assert.ok(
          nuisance.distractors.every(({ moves }) => moves),
          caption,
        );
      if (caption.includes('at rest'))
        assert.ok(
          nuisance.distractors.every(({ moves }) => !moves),
          caption,
        );
      if (/\b(mouth|halves|petals|handle|arch|oval)\b/.test(caption)) {
        assert.ok(/mouth|gate|petals|spinning|leaping|oval|lens/.test(performance.style), caption);
      }
      if (/shaded|two-coloured/.test(caption)) assert.ok(caption.includes(nuisance.surface), caption);
    }
  }
});
