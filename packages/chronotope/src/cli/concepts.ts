import Table from 'cli-table3';
import { Command, Option } from 'commander';
import { type Concept, readConcepts, shippedConcepts } from '../language/concept-file.js';
import { CONTROLS, type Control } from '../language/concept-space.js';
import { buildConcepts, LSS_VARIANTS, loadConcepts, nearestConcepts, type SavedConcepts } from '../runs/concepts.js';
import { MODEL_ARGUMENT, templatesOption } from './language-options.js';
import { wholeNumber } from './options.js';

interface BuildFlags {
  model: string;
  variant: keyof typeof LSS_VARIANTS;
  concepts?: string;
  templates: readonly string[];
  control?: Control;
  seed: number;
  out: string;
}

/** `chronotope concepts show|build`. */
export function conceptsCommand(): Command {
  return new Command('concepts')
    .description('classes and their descriptions, as axes that videos are compared along')
    .addCommand(showCommand())
    .addCommand(buildCommand());
}

function showCommand(): Command {
  return new Command('show')
    .description('list the concepts of a list or file, or look into a concept space')
    .argument('<source>', `${shippedConcepts().join(', ')}, a YAML or JSON file, several joined by +, or a built space`)
    .option('--class <name>', 'only this one')
    .option('--json', 'print everything as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope concepts show demo\n  $ chronotope concepts show ucf101 --class "tai chi"' +
        '\n  $ chronotope concepts show concepts.safetensors',
    )
    .action((source: string, { class: wanted, json }: { class?: string; json?: boolean }) => {
      const saved = source.endsWith('.safetensors') ? loadConcepts(source) : null;
      const all = saved ? conceptsOf(saved) : readConcepts(source);
      const concepts = all.filter(({ name }) => wanted === undefined || name === wanted.toLowerCase());
      if (json) process.stdout.write(`${JSON.stringify(concepts, null, 2)}\n`);
      else
        process.stdout.write(
          `${concepts.map(conceptText).join('\n')}\n${saved ? spaceText(saved) : countText(concepts)}`,
        );
    });
}

function buildCommand(): Command {
  return new Command('build')
    .description('encode concepts with the text tower of a CLIP; nothing is done where the file is up to date')
    .requiredOption('--model <run or file>', MODEL_ARGUMENT)
    .addOption(
      new Option(
        '--variant <letter>',
        'of LSS: A the three data sets, B Kinetics-400 alone, C one that a language model wrote',
      )
        .choices(Object.keys(LSS_VARIANTS))
        .default('A'),
    )
    .option('--concepts <list or file>', 'instead: lists or files joined by +')
    .addOption(templatesOption())
    .addOption(new Option('--control <kind>', 'take the meaning out of the space').choices([...CONTROLS]))
    .option('--seed <n>', 'of the control', wholeNumber, 1)
    .requiredOption('--out <file>', 'a safetensors file')
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope concepts build --model ViT-B-16.pt --variant A --out lss-a.safetensors' +
        '\n  $ chronotope concepts build --model ./runs/clip --concepts demo --control random --out random.safetensors',
    )
    .action(({ model, variant, concepts = LSS_VARIANTS[variant], ...flags }: BuildFlags) => {
      const saved = buildConcepts(model, { ...flags, concepts });
      process.stdout.write(`${spaceText(saved)}${saved.reused ? 'up to date\n' : ''}`);
    });
}

function conceptsOf({ space }: SavedConcepts): Concept[] {
  const { names, sentences, classOf } = space;
  return names.map((name, index) => ({ name, descriptions: sentences.filter((_, row) => classOf[row] === index) }));
}

function conceptText({ name, descriptions }: Concept): string {
  return [name, ...descriptions.map((description) => `  ${description}`)].join('\n');
}

function countText(concepts: readonly Concept[]): string {
  const descriptions = concepts.reduce((sum, concept) => sum + concept.descriptions.length, 0);
  return `\n${concepts.length} classes, ${descriptions} descriptions\n`;
}

function spaceText({ file, hash, space, templates, control }: SavedConcepts): string {
  const table = new Table({ head: ['class', 'most like', 'cosine'], style: { head: [], border: [], compact: true } });
  for (const { name, nearest, similarity } of nearestConcepts(space).slice(0, 10)) {
    table.push([name, nearest, similarity.toFixed(3)]);
  }
  const [classes, width] = space.category.shape;
  const kind = control === null ? '' : `, ${control} (no meaning)`;
  return (
    `\n${file}: ${classes} classes, ${space.sentences.length} descriptions, ${width} numbers each${kind}\n` +
    `${templates.length} prompts, such as "${templates[0]}"; hash ${hash.slice(0, 12)}\nclasses that are most alike:\n${table}\n`
  );
}
