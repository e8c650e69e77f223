import { Command, Option } from 'commander';
import { annotateRecipe, loadRecipe, purposeOf, shippedRecipes } from '../recipes/load.js';
import { METHOD_NAMES, type MethodName } from '../recipes/schemas.js';
import { allSettings, explainSetting, type Setting } from '../recipes/settings.js';
import { setOption } from './options.js';

/** `chronotope recipe list | show | explain | validate`: the settings of a training. */
export function recipeCommand(): Command {
  const command = new Command('recipe').description('list, show, explain and check settings');
  for (const own of [listCommand(), showCommand(), explainCommand(), validateCommand()]) command.addCommand(own);
  return command;
}

function listCommand(): Command {
  return new Command('list')
    .description('the recipes that come with the program')
    .option('--json', 'print them as JSON')
    .action(({ json }: { json?: boolean }, command: Command) => {
      const recipes = shippedRecipes().map((name) => ({ name, purpose: purposeOf(name) }));
      const lines = recipes.map(({ name, purpose }) => `${name}\n    ${purpose}\n`);
      print(command, json ? asJson(recipes) : lines.join(''));
    });
}

function showCommand(): Command {
  return new Command('show')
    .description('print a recipe with every setting and what it means; a start for your own')
    .argument('<name or file>', 'a recipe of the list, a YAML file, or the recipe.yaml of a run')
    .addOption(setOption('student.steps=400'))
    .option('--json', 'print the values alone, as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope recipe show timebalance-small > mine.yaml' +
        '\n  $ chronotope recipe show ./runs/mine/recipe.yaml --json | jq .student',
    )
    .action((source: string, { set, json }: { set: string[]; json?: boolean }, command: Command) => {
      const recipe = loadRecipe(source, set);
      print(command, json ? asJson(recipe) : annotateRecipe(recipe));
    });
}

interface ExplainFlags {
  method: MethodName;
  json?: boolean;
}

function explainCommand(): Command {
  return new Command('explain')
    .description('say what a setting means and which values it takes')
    .argument('[key]', 'a setting or a group of them, such as student.steps; without it, the groups')
    .addOption(new Option('--method <name>', 'whose recipes').choices(METHOD_NAMES).default('timebalance'))
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope recipe explain similarity.map\n  $ chronotope recipe explain student' +
        '\n  $ chronotope recipe explain --json    # every setting',
    )
    .action((key: string | undefined, { method, json }: ExplainFlags, command: Command) => {
      const settings = key === undefined ? allSettings(method) : explainSetting(key, method);
      const shown = key === undefined ? settings.filter((setting) => !setting.key.includes('.')) : settings;
      print(command, json ? asJson(settings) : renderSettings(shown));
    });
}

function validateCommand(): Command {
  return new Command('validate')
    .description('check a recipe: unknown settings, wrong values, values that do not go together')
    .argument('<name or file>', 'a recipe of the list, or a YAML file')
    .addOption(setOption('student.steps=400'))
    .action((source: string, { set }: { set: string[] }, command: Command) => {
      loadRecipe(source, set);
      print(command, `${source} is valid.\n`);
    });
}

/** Keys with their values, and what each means below. */
function renderSettings(settings: Setting[]): string {
  return settings
    .map(({ key, description, values }) => {
      const meaning = description === '' ? '' : `    ${description}\n`;
      return `${key}${values === undefined ? '' : `: ${values}`}\n${meaning}`;
    })
    .join('');
}

const asJson = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

function print(command: Command, text: string): void {
  command.configureOutput().writeOut?.(text);
}
