import { Command, Option } from 'commander';
import type { ClipFormat } from '../models/clip/clip-weights.js';
import { describeWeights } from '../models/weights/describe-weights.js';
import type { ChannelOrder, WeightsFormat } from '../models/weights/layouts.js';
import { convertModel } from '../runs/convert-clip.js';
import { exportRun } from '../runs/export-weights.js';
import { positiveInteger, stageOption } from './options.js';
import { weightsSummary, weightsTable } from './weights-table.js';

interface InspectFlags {
  place?: string;
  all?: boolean;
  json?: boolean;
}

interface ExportFlags {
  stage?: string;
  draw: number;
  out: string;
  format?: WeightsFormat;
  channels?: ChannelOrder;
  json?: boolean;
}

interface ConvertFlags {
  out: string;
  to: ClipFormat;
}

/** `chronotope weights inspect|export|convert`. */
export function weightsCommand(): Command {
  return new Command('weights')
    .description('look into files of weights, export those of a run for PyTorch, and convert CLIPs')
    .addCommand(inspectWeightsCommand())
    .addCommand(exportWeightsCommand())
    .addCommand(convertWeightsCommand());
}

function inspectWeightsCommand(): Command {
  return new Command('inspect')
    .description('say what weights a file has and which network they are of; no code of the file is run')
    .argument('<file>', 'safetensors, .pth, .pt, TorchScript or .npz')
    .option('--place <key>', 'where in a checkpoint the weights are; by default at one of the usual places')
    .option('--all', 'list every weight')
    .option('--json', 'print everything as JSON')
    .addHelpText('after', '\nExample:\n  $ chronotope weights inspect r3d_18.pth')
    .action((file: string, { place, all, json }: InspectFlags) => {
      const description = describeWeights(file, place);
      if (json) process.stdout.write(`${JSON.stringify(description, null, 2)}\n`);
      else process.stdout.write(`${weightsSummary(description)}${all ? weightsTable(description) : ''}`);
    });
}

function exportWeightsCommand(): Command {
  return new Command('export')
    .description("write a run's network under the keys of torchvision, PyTorchVideo or the official code")
    .argument('<run>', 'the folder of a run')
    .requiredOption('--out <file>', '.pth, .pt or .pth.tar for torch.load, else safetensors')
    .addOption(stageOption())
    .option('--draw <n>', 'which label draw, counted from 1', positiveInteger, 1)
    .addOption(
      new Option('--format <format>', "how to name the weights; default: as the network's own library").choices([
        ...(['chronotope', 'torchvision', 'pytorchvideo', 'tclr', 'timebalance', 'moco'] satisfies WeightsFormat[]),
      ]),
    )
    .addOption(
      new Option('--channels <order>', 'what the weights shall expect; default: bgr for tclr, else rgb').choices([
        ...(['rgb', 'bgr'] satisfies ChannelOrder[]),
      ]),
    )
    .option('--json', 'print what was written as JSON')
    .addHelpText('after', '\nExample:\n  $ chronotope weights export ./runs/mine --stage student --out student.pth')
    .action((run: string, { draw, json, ...flags }: ExportFlags) => {
      const written = exportRun(run, { ...flags, draw: draw - 1 });
      if (json) process.stdout.write(`${JSON.stringify(written, null, 2)}\n`);
      else {
        const leftOut = written.leftOut.length === 0 ? '' : `, without ${written.leftOut.join(', ')}`;
        process.stdout.write(`${written.file}: ${written.keys.length} weights in ${written.format} format${leftOut}\n`);
      }
    });
}

function convertWeightsCommand(): Command {
  return new Command('convert')
    .description("rewrite a CLIP in float32, under OpenAI's names or those of Hugging Face")
    .argument('<run or file>', 'ViT-B-16.pt, model.safetensors, a file of OpenCLIP, or a run of train clip')
    .requiredOption('--out <file>', '.pth or .pt for torch.load, else safetensors')
    .addOption(
      new Option('--to <keys>', 'whose names of weights')
        .choices([...(['openai', 'huggingface'] satisfies ClipFormat[])])
        .default('openai'),
    )
    .addHelpText('after', '\nExample:\n  $ chronotope weights convert ViT-B-16.pt --out vit-b-16.safetensors')
    .action((source: string, { out, to }: ConvertFlags) => {
      const { ignored } = convertModel(source, out, { format: to });
      const leftOut = ignored.length === 0 ? '' : `, without ${ignored.join(', ')}`;
      process.stdout.write(`${out}: the CLIP of ${source} under ${to} names${leftOut}\n`);
    });
}
