/**
 * Prints the table of networks in docs/models.md: parameters, and multiply-adds of one clip or image.
 *
 * The convolutions and linear layers count output elements times weights of one output, and compute nothing.
 *
 *   node bench/models/network-table.mjs
 */
import { nn, noGrad, scope, zeros } from '@chronotope/torch';
import { MC3D18, R2Plus1D18, R3D18, R3D50, ResNet18, ResNet50, SmallR3D } from 'chronotope';

let multiplyAdds = 0;
for (const Layer of [nn.Conv2d, nn.Conv3d, nn.Linear]) {
  Layer.prototype.forward = function counted(x) {
    const [outChannels, ...window] = this.weight.shape;
    const shape = Layer === nn.Linear ? [x.shape[0], outChannels] : outputShape(this, x.shape);
    multiplyAdds += product(shape) * product(window);
    return zeros(shape);
  };
}

function outputShape(layer, [items, , ...sizes]) {
  const [outChannels, , ...kernel] = layer.weight.shape;
  const { stride, padding, dilation } = layer.geometry;
  const spatial = sizes.map((size, axis) =>
    Math.floor((size + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1) / stride[axis] + 1),
  );
  return [items, outChannels, ...spatial];
}

const product = (numbers) => numbers.reduce((result, number) => result * number, 1);

const clip = (frames, size) => [1, 3, frames, size, size];
const NETWORKS = [
  ['small-r3d', () => new SmallR3D({ stemWidth: 8 }), clip(8, 40)],
  ['r3d18, width 16', () => new R3D18({ width: 16 }), clip(16, 56)],
  ['r3d18', () => new R3D18(), clip(16, 112)],
  ['r3d18, strided', () => new R3D18({ lastStage: 'strided' }), clip(16, 112)],
  ['r2plus1d18', () => new R2Plus1D18(), clip(16, 112)],
  ['r2plus1d18, strided', () => new R2Plus1D18({ lastStage: 'strided' }), clip(16, 112)],
  ['mc3-18', () => new MC3D18(), clip(16, 112)],
  ['r3d50, width 16', () => new R3D50({ width: 16 }), clip(8, 112)],
  ['r3d50', () => new R3D50(), clip(8, 224)],
  ['ResNet18', () => new ResNet18(), [1, 3, 224, 224]],
  ['ResNet50', () => new ResNet50(), [1, 3, 224, 224]],
];

console.log('| network | parameters | input | multiply-adds |\n|---|---|---|---|');
for (const [name, make, shape] of NETWORKS) {
  scope(() => {
    const network = make().eval();
    multiplyAdds = 0;
    noGrad(() => (shape.length === 5 ? network.featureMap(zeros(shape)) : network.call(zeros(shape))));
    const parameters = network.parameters().reduce((sum, { numel }) => sum + numel, 0);
    const input = shape.length === 5 ? `${shape[2]} x ${shape[3]}²` : `${shape[2]}²`;
    console.log(
      `| ${name} | ${parameters.toLocaleString('en')} | ${input} | ${(multiplyAdds / 1e9).toPrecision(3)} G |`,
    );
    network.dispose();
  });
}
