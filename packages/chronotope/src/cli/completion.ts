import { Argument, Command, type Option } from 'commander';
import { shippedRecipes } from '../recipes/load.js';
import { METHOD_NAMES, type MethodName } from '../recipes/schemas.js';
import { allSettings } from '../recipes/settings.js';

/** Writes what a shell needs to complete the command line, from the commands themselves. */
const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** `chronotope completion <shell>`: prints a script that teaches the shell commands, options, recipes and settings. */
export function completionCommand(): Command {
  return new Command('completion')
    .description('print a script with which the shell completes commands, options and settings')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(SHELLS)))
    .addHelpText(
      'after',
      `
To switch it on, once and for all:
  bash  chronotope completion bash > ~/.local/share/bash-completion/completions/chronotope
  zsh   echo 'source <(chronotope completion zsh)' >> ~/.zshrc    # below compinit
  fish  chronotope completion fish > ~/.config/fish/completions/chronotope.fish`,
    )
    .action((shell: keyof typeof SHELLS, _options: unknown, command: Command) => {
      command.configureOutput().writeOut?.(SHELLS[shell](programOf(command)));
    });
}

/** A command with the words that lead to it, such as `train timebalance`; none for the program itself. */
interface Place {
  path: string;
  command: Command;
}

function programOf(command: Command): Command {
  return command.parent ? programOf(command.parent) : command;
}

function placesOf(command: Command, path = ''): Place[] {
  const below = command.commands.flatMap((child) => placesOf(child, `${path} ${child.name()}`.trim()));
  return [{ path, command }, ...below];
}

/** The words an option's value can be; none where it is a file, a number or anything else. */
function valuesOf(option: Option, { path }: Place): readonly string[] {
  const method = METHOD_NAMES.find((name) => path === `train ${name}`);
  if (option.long === '--recipe') return shippedRecipes(method);
  if (option.long === '--set') return settingKeys(method).map((key) => `${key}=`);
  return option.argChoices ?? [];
}

/** The words that may stand where a command takes arguments; none where they are files. */
function argumentsOf({ path, command }: Place): readonly string[] {
  if (path === 'recipe explain') return settingKeys();
  if (path === 'recipe show' || path === 'recipe validate') return shippedRecipes();
  return command.registeredArguments.flatMap((argument) => argument.argChoices ?? []);
}

/** The settings of one method's recipes, or of all. */
const settingKeys = (method?: MethodName): string[] => {
  const methods = method === undefined ? METHOD_NAMES : [method];
  return [...new Set(methods.flatMap((name) => allSettings(name).map(({ key }) => key)))];
};
const flagsOf = (command: Command): string[] => [...command.options.map((option) => option.long!), '--help'];
const namesOf = (command: Command): string[] => command.commands.map((child) => child.name());

/** Variables are named so that they are no special ones of zsh, which runs this script as well. */
function bashScript(program: Command): string {
  const places = placesOf(program);
  const deeper = places.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  const options = places.flatMap((place) =>
    place.command.options.map((option) => ({
      name: `'${place.path} ${option.long}'`,
      values: valuesOf(option, place),
      takesValue: option.required || option.optional,
    })),
  );
  const values = options.flatMap(({ name, values }) =>
    values.length > 0 ? [`    ${name}) choices='${values.join(' ')}' ;;`] : [],
  );
  const free = options.flatMap(({ name, values, takesValue }) => (takesValue && values.length === 0 ? [name] : []));
  const words = places.map((place) => {
    const plain = [...namesOf(place.command), ...argumentsOf(place)].join(' ');
    return `      '${place.path}') flags='${flagsOf(place.command).join(' ')}' choices='${plain}' ;;`;
  });
  return `# bash completion for chronotope
_chronotope() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[$((COMP_CWORD - 1))]} place='' flags='' choices='' word
  for word in "\${COMP_WORDS[@]:1:$((COMP_CWORD - 1))}"; do
    case "\${place:+$place }$word" in
      ${deeper.join(' | ')}) place="\${place:+$place }$word" ;;
    esac
  done
  COMPREPLY=()
  case "$place $prev" in
    ${free.join(' | ')}) return ;;
${values.join('\n')}
    *) case "$place" in
${words.join('\n')}
    esac ;;
  esac
  if [[ $cur == -* ]]; then choices=$flags; fi
  COMPREPLY=($(compgen -W "$choices" -- "$cur"))
  if [[ \${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2> /dev/null; fi
}
complete -o default -F _chronotope chronotope
`;
}

/** zsh runs bash's script through its own compatibility layer. */
function zshScript(program: Command): string {
  return `# zsh completion for chronotope
(( $+functions[compdef] )) || { autoload -U +X compinit && compinit }
autoload -U +X bashcompinit && bashcompinit
${bashScript(program)}`;
}

function fishScript(program: Command): string {
  const lines = placesOf(program).flatMap((place) => {
    const { command } = place;
    const add = `complete -c chronotope -n '${fishCondition(place)}'`;
    const children = command.commands.map((child) => `${add} -f -a ${child.name()} -d ${quoted(child.description())}`);
    const words = argumentsOf(place);
    const files = command.registeredArguments.some((argument) => argument.name().includes('file')) ? '' : ' -f';
    const options = command.options.map((option) => {
      const takes = option.required || option.optional;
      const values = valuesOf(option, place);
      const value = values.length > 0 ? ` -x -a '${values.join(' ')}'` : takes ? ' -r' : '';
      return `${add} -l ${option.long!.slice(2)}${value} -d ${quoted(option.description)}`;
    });
    return [...children, ...(words.length > 0 ? [`${add}${files} -a '${words.join(' ')}'`] : []), ...options];
  });
  return `# fish completion for chronotope\n${lines.join('\n')}\n`;
}

/** When the words of a command have been typed, and none of the commands below it. */
function fishCondition({ path, command }: Place): string {
  const typed = path === '' ? [] : path.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`);
  const names = namesOf(command);
  const deeper = names.length > 0 ? [`not __fish_seen_subcommand_from ${names.join(' ')}`] : [];
  return [...typed, ...deeper].join('; and ');
}

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
