import { test } from 'node:test';
import { scope, tensor } from '@chronotope/torch';
import { assertClose, leaf, type Nested, readGolden } from '../testing/golden.js';
import { balancedLoss, focalLoss } from './tracking.js';

interface Case {
  case: string;
  kind: 'balanced' | 'balanced_vince' | 'focal';
  parameter: number;
  response: Nested;
  label: Nested;
  loss: number;
  grad_response: Nested;
}

for (const golden of readGolden<{ cases: Case[] }>('ccl/siamfc_losses.json').cases) {
  test(`${golden.case}: the loss and its gradient`, () => {
    scope(() => {
      const response = leaf(golden.response);
      const label = tensor(golden.label);
      const { kind, parameter } = golden;
      // VINCE's code has the masks of positives and negatives swapped: its weight is that of the positives.
      const loss =
        kind === 'focal'
          ? focalLoss(response, label, { gamma: parameter })
          : balancedLoss(response, label, { negativeWeight: kind === 'balanced' ? parameter : 1 / parameter });
      loss.backward();
      assertClose(loss, golden.loss, { relative: 1e-5 });
      assertClose(response.grad!, golden.grad_response, { relative: 1e-4 });
    });
  });
}
