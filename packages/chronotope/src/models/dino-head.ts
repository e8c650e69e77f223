import { nn, type Tensor } from '@chronotope/torch';

/** Settings of {@link DinoHead}. */
export interface DinoHeadOptions {
  /** Outputs, K. Default 65536. */
  outputs?: number;
  /** Linear layers before the last one, 1 or more. Default 3. */
  layers?: number;
  /** Width between them. Default 2048. */
  hidden?: number;
  /** Numbers of the unit vector before the last layer. Default 256. */
  bottleneck?: number;
  /** Keep the gains of the last layer at 1, so that outputs are cosines. Default true. */
  fixedGains?: boolean;
}

/**
 * The projection head of DINO (ICCV 2021) and SVT: linear layers with GELU between them, a unit vector, and a weight-normed
 * last layer without bias. Keys `mlp.{0,2,4}.*` (`mlp.*` with one layer), `last_layer.weight_g`, `last_layer.weight_v`.
 */
export class DinoHead extends nn.Module {
  /** Outputs, K. */
  readonly outputs: number;
  readonly mlp: nn.Layer;
  readonly lastLayer: nn.WeightNormed<nn.Linear>;

  /** @param features numbers of the input, F */
  constructor(features: number, options: DinoHeadOptions = {}) {
    super();
    const { outputs = 65_536, layers = 3, hidden = 2048, bottleneck = 256, fixedGains = true } = options;
    this.outputs = outputs;
    this.mlp = layers === 1 ? new nn.Linear(features, bottleneck) : deepMlp(features, { layers, hidden, bottleneck });
    for (const layer of this.mlp.modules()) {
      if (!(layer instanceof nn.Linear)) continue;
      nn.init.truncNormal_(layer.weight, { std: 0.02, a: -2, b: 2 });
      nn.init.zeros_(layer.bias!);
    }
    this.lastLayer = nn.weightNorm(new nn.Linear(bottleneck, outputs, { bias: false }));
    nn.init.ones_(this.lastLayer.weightG);
    if (fixedGains) this.lastLayer.weightG.requiresGrad_(false);
  }

  /** Features `[..., F]` to outputs `[..., K]`. */
  override forward(features: Tensor): Tensor {
    return this.lastLayer.call(nn.functional.normalize(this.mlp.call(features), { dim: -1 }));
  }
}

function deepMlp(
  features: number,
  { layers, hidden, bottleneck }: Required<Pick<DinoHeadOptions, 'layers' | 'hidden' | 'bottleneck'>>,
): nn.Sequential {
  const widths = [features, ...Array<number>(layers - 1).fill(hidden), bottleneck];
  return new nn.Sequential(
    ...widths.slice(1).flatMap((width, index) => {
      const linear = new nn.Linear(widths[index]!, width);
      return index === layers - 1 ? [linear] : [linear, new nn.GELU()];
    }),
  );
}
