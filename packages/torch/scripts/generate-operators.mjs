// Writes src/generated/operators.ts and src/generated/tensor-methods.ts from the schemas that libtorch itself reports:
//   node scripts/generate-operators.mjs        (needs the built addon; run `npm run format` afterwards)
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { OPERATOR_TABLE } from './operator-table.mjs';

const PACKAGE = join(import.meta.dirname, '..');
const native = createRequire(import.meta.url)(join(PACKAGE, 'build/Release/chronotope_torch.node'));

/** Arguments that the binding sets itself. */
const HIDDEN = new Set(['pin_memory', 'layout']);
const REDUCTIONS = ['none', 'mean', 'sum'];

// ---- the table

function readTable() {
  const lines = OPERATOR_TABLE.split('\n').filter((line) => line.includes('|'));
  return lines.flatMap((line) => {
    const [names, overloads, doc, positional = ''] = line.split('|').map((part) => part.trim());
    const [spelling, explicit] = names.split('=');
    const name = spelling.replace('[_]', '');
    const entry = {
      name,
      aten: explicit ?? snakeCase(name),
      overloads: overloads.split(' ').map((overload) => (overload === '-' ? '' : overload)),
      doc,
      ...readFlags(positional),
    };
    if (!spelling.endsWith('[_]')) return [entry];
    const inPlace = { ...entry, name: `${name}_`, aten: `${entry.aten}_`, doc: `${doc.replace(/\.$/, '')}, in place.` };
    return [entry, inPlace];
  });
}

/** `dim` makes an argument positional; `train=training:true` makes one an option with a new name and a default. */
function readFlags(text) {
  const words = text.split(' ').filter(Boolean);
  const renamed = words.filter((word) => word.includes('='));
  return {
    positional: new Set(words.filter((word) => !word.includes('='))),
    renamed: new Map(
      renamed.map((word) => {
        const [from, to, fallback] = word.split(/[=:]/);
        return [from, { name: to, fallback }];
      }),
    ),
  };
}

const snakeCase = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camelCase = (name) => name.replace(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter) => letter.toUpperCase());

// ---- schemas

/** `aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor` as data. */
function parseSchema(text) {
  const [, name, overload = '', args, returns] = text.match(/^(aten::\w+)(?:\.(\w+))?\((.*)\) -> (.*)$/);
  let keywordOnly = false;
  const parsed = [];
  for (const part of splitList(args)) {
    if (part === '*') {
      keywordOnly = true;
      continue;
    }
    const [, type, argument, fallback] = part.match(/^(.+?) (\w+)(?:=(.*))?$/);
    parsed.push({ type: type.replace(/\([^)]*\)/g, ''), name: argument, fallback, keywordOnly });
  }
  return { name, overload, args: parsed, returns: parseReturns(returns), selfFirst: parsed[0]?.name === 'self' };
}

function parseReturns(text) {
  const inner = text.replace(/\([a-z][^)]{0,6}\)/g, '');
  const list = inner.startsWith('(') ? splitList(inner.slice(1, -1)) : [inner];
  return list.map((item) => {
    const [type, name] = item.split(' ');
    return { type, name };
  });
}

/** Splits at commas outside brackets and quotes. */
function splitList(text) {
  const parts = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') quoted = !quoted;
    else if ('([{'.includes(text[i])) depth++;
    else if (')]}'.includes(text[i])) depth--;
    else if (text[i] === ',' && depth === 0 && !quoted) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  const last = text.slice(start).trim();
  return last ? [...parts, last] : parts;
}

const schemasOf = (aten) => native.schemas(`aten::${aten}`).map(parseSchema);

// ---- types

const SIMPLE_TYPES = {
  Tensor: 'Tensor',
  Scalar: 'number',
  int: 'number',
  SymInt: 'number',
  float: 'number',
  bool: 'boolean',
  str: 'string',
  ScalarType: 'DType',
  Device: 'Device',
  MemoryFormat: 'MemoryFormat',
  Generator: 'Generator',
};

function typeOf({ type, name }) {
  if (name === 'reduction' && type === 'int') return 'Reduction';
  const optional = type.endsWith('?');
  const bare = optional ? type.slice(0, -1) : type;
  const list = bare.match(/^(\w+\??)\[(\d*)\]$/);
  const written = list ? listType(list[1], list[2]) : SIMPLE_TYPES[bare];
  if (!written) throw new Error(`no TypeScript type for '${type} ${name}'`);
  return optional ? `${written} | null` : written;
}

function listType(element, length) {
  if (element === 'Tensor') return 'readonly Tensor[]';
  if (element === 'Tensor?') return 'readonly (Tensor | null)[]';
  if (element === 'bool') return 'readonly boolean[]';
  return length ? 'number | readonly number[]' : 'readonly number[]';
}

function returnType(schema) {
  const types = schema.returns.map(({ type }) => (type === 'Tensor[]' ? 'Tensor[]' : SIMPLE_TYPES[type]));
  if (types.length === 0) return 'void';
  if (types.length === 1) return types[0];
  const items = types.map((type, i) => (schema.returns[i].name ? `${schema.returns[i].name}: ${type}` : type));
  return `[${items.join(', ')}]`;
}

// ---- one function from several overloads

function plan(entry) {
  const all = schemasOf(entry.aten);
  const overloads = entry.overloads.map((overload) => {
    const schema = all.find((candidate) => candidate.overload === overload);
    if (!schema) throw new Error(`aten::${entry.aten} has no overload '${overload}': ${all.map((s) => s.overload)}`);
    return { schema, ...divideArguments(schema, entry) };
  });
  return { ...entry, overloads, positions: mergePositions(overloads), options: mergeOptions(overloads) };
}

function divideArguments(schema, entry) {
  const positional = [];
  const options = [];
  for (const argument of schema.args) {
    if (HIDDEN.has(argument.name)) continue;
    const renamed = entry.renamed.get(argument.name);
    const name = renamed?.name ?? (['self', 'input'].includes(argument.name) ? 'x' : camelCase(argument.name));
    const described = { name, source: argument.name, type: typeOf(argument), optional: isOptional(argument) };
    const isOption = renamed || argument.keywordOnly || argument.fallback !== undefined;
    if (isOption && !entry.positional.has(argument.name)) {
      options.push({
        ...described,
        optional: described.optional || renamed !== undefined,
        fallback: renamed?.fallback,
      });
    } else {
      positional.push(described);
    }
  }
  return { positional, options };
}

const isOptional = ({ type, fallback }) => fallback !== undefined || type.endsWith('?');

const union = (types) => [...new Set(types.flatMap((type) => type.split(' | ')))].join(' | ');

function mergePositions(overloads) {
  const count = Math.max(...overloads.map(({ positional }) => positional.length));
  return Array.from({ length: count }, (_, i) => {
    const present = overloads.map(({ positional }) => positional[i]).filter(Boolean);
    return {
      name: present[0].name,
      type: union(present.map(({ type }) => type)),
      optional: present.length < overloads.length || present.every(({ optional }) => optional),
    };
  });
}

function mergeOptions(overloads) {
  const merged = new Map();
  for (const { options } of overloads) {
    for (const option of options) {
      const known = merged.get(option.name);
      if (!known) merged.set(option.name, { ...option });
      else known.type = union([known.type, option.type]);
    }
  }
  for (const option of merged.values()) {
    option.optional ||= overloads.some(({ options }) => !options.some(({ name }) => name === option.name));
  }
  return [...merged.values()];
}

/** What must hold for an overload to be the one that is meant; empty when it takes whatever is left. */
function condition(overload, overloads, positions) {
  const tests = positions.flatMap(({ name }, i) => {
    const own = overload.positional[i];
    const others = overloads.filter((other) => other !== overload).map((other) => other.positional[i]);
    if (!own) return [`${name} === undefined`];
    if (others.some((other) => other && nonNull(other.type) !== nonNull(own.type))) return [typeTest(own.type, name)];
    return others.some((other) => !other) && !own.optional ? [`${name} !== undefined`] : [];
  });
  return tests.join(' && ');
}

const nonNull = (type) => type.replace(' | null', '');

function typeTest(type, name) {
  if (type === 'Tensor') return `${name} instanceof TensorHandle`;
  if (type === 'number') return `typeof ${name} === 'number'`;
  if (type.includes('number | readonly')) return `${name} !== undefined`;
  if (type.includes('readonly')) return `Array.isArray(${name})`;
  throw new Error(`no test for ${type} ${name}`);
}

// ---- text

const constantName = ({ name, overload }) =>
  [name.replace('aten::', ''), overload].filter(Boolean).join('_').toUpperCase();

function signature({ positions, options }) {
  const lastRequired = positions.findLastIndex(({ optional }) => !optional);
  const parameters = positions.map(({ name, type, optional }, i) =>
    optional && i > lastRequired ? `${name}?: ${type}` : `${name}: ${type}`,
  );
  if (options.length > 0) {
    const bindings = options.map(({ name, fallback }) => (fallback ? `${name} = ${fallback}` : name));
    const types = options.map(({ name, type, optional }) => `${name}${optional ? '?' : ''}: ${type}`);
    const allOptional = options.every(({ optional }) => optional);
    parameters.push(`{ ${bindings.join(', ')} }: { ${types.join('; ')} }${allOptional ? ' = {}' : ''}`);
  }
  return parameters.join(', ');
}

function callText(overload, positions) {
  const values = overload.schema.args.map((argument) => {
    const position = overload.positional.findIndex(({ source }) => source === argument.name);
    if (position >= 0) return valueText(positions[position].name, overload.positional[position]);
    const option = overload.options.find(({ source }) => source === argument.name);
    return option ? valueText(option.name, option) : 'undefined';
  });
  while (values.at(-1) === 'undefined') values.pop();
  return `${constantName(overload.schema)}.call(${values.join(', ')})`;
}

const valueText = (name, { type }) => (type === 'Reduction' ? `reductionCode(${name})` : name);

function functionText(operator) {
  const { name, doc, overloads, positions } = operator;
  const schemas = overloads.map(({ schema }) => `\`${schema.name}${schema.overload ? `.${schema.overload}` : ''}\``);
  const returns = overloads[0].schema;
  const calls = overloads.map((overload, i) => {
    const test = i === overloads.length - 1 ? '' : condition(overload, overloads, positions);
    const call = callText(overload, positions);
    return test ? `  if (${test}) return ${call};` : `  return ${call};`;
  });
  // `var` cannot name a function, but it can name an export.
  const declared = name === 'var' ? 'variance' : name;
  return `/** ${doc} (${schemas.join(', ')}) */
${declared === name ? 'export ' : ''}function ${declared}(${signature(operator)}): ${returnType(returns)} {
${calls.join('\n')}
}${declared === name ? '' : `\nexport { ${declared} as ${name} };`}`;
}

function operatorsFile(operators) {
  const schemas = new Map(
    operators.flatMap(({ overloads }) => overloads.map(({ schema }) => [constantName(schema), schema])),
  );
  const constants = [...schemas].map(([constant, schema]) => {
    const overload = schema.overload ? `, '${schema.overload}'` : '';
    return `const ${constant} = new Operator<${returnType(schema)}>('${schema.name}'${overload});`;
  });
  return `// Generated by scripts/generate-operators.mjs from libtorch's schemas; do not edit.
import type { Generator } from '../generator.js';
import { Operator } from '../operator.js';
import { TensorHandle } from '../scope.js';
import type { Device, DType, MemoryFormat, Reduction, Tensor } from '../tensor.js';

${constants.join('\n')}

function reductionCode(reduction: Reduction | undefined): number | undefined {
  return reduction === undefined ? undefined : [${REDUCTIONS.map((name) => `'${name}'`).join(', ')}].indexOf(reduction);
}

${operators.map(functionText).join('\n\n')}
`;
}

function methodsFile(operators) {
  const methods = operators.filter(({ overloads }) => overloads[0].schema.selfFirst);
  const declarations = methods.map(
    ({ name, doc }) => `    /** ${doc} */\n    ${name}: Method<typeof operators.${name}>;`,
  );
  return `// Generated by scripts/generate-operators.mjs from libtorch's schemas; do not edit.
import type { Tensor } from '../tensor.js';
import * as operators from './operators.js';

/** A function of a tensor, as that tensor's method. */
type Method<F> = F extends (x: Tensor, ...rest: infer Rest) => infer Result ? (...rest: Rest) => Result : never;

declare module '../tensor.js' {
  interface Tensor {
${declarations.join('\n')}
  }
}

const METHODS: Record<string, (x: Tensor, ...rest: never[]) => unknown> = {
${methods.map(({ name }) => `  ${name}: operators.${name},`).join('\n')}
};

/** Gives the Tensor class its generated methods. */
export function installMethods(prototype: Tensor): void {
  for (const [name, operator] of Object.entries(METHODS)) {
    const method = function (this: Tensor, ...rest: never[]): unknown {
      return operator(this, ...rest);
    };
    Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true });
  }
}
`;
}

const operators = readTable().map(plan);
mkdirSync(join(PACKAGE, 'src/generated'), { recursive: true });
writeFileSync(join(PACKAGE, 'src/generated/operators.ts'), operatorsFile(operators));
writeFileSync(join(PACKAGE, 'src/generated/tensor-methods.ts'), methodsFile(operators));
console.log(`${operators.length} operators`);
