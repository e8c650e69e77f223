import { Tensor } from '../tensor.js';
import { isPythonObject, type PythonObject } from './pickle-values.js';
import type { PthValue } from './pth-value.js';
import type { ZipArchive } from './zip-archive.js';

/** Of each class of a TorchScript archive, the attributes that are parameters or buffers. */
export type TorchScriptClasses = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Reads from the archive's source text which attributes of its classes are parameters and buffers, since tensors can be
 * plain attributes too. The text is only searched for the two lists of names; none of it is compiled.
 */
export function moduleClasses(archive: ZipArchive, folder: string): TorchScriptClasses {
  const classes = new Map<string, Set<string>>();
  for (const [path, entry] of archive.entries) {
    if (!path.startsWith(`${folder}code/`) || !path.endsWith('.py')) continue;
    const module = path.slice(`${folder}code/`.length, -'.py'.length).replaceAll('/', '.');
    readClasses(archive.read(entry).toString('utf8'), module, classes);
  }
  return classes;
}

function readClasses(source: string, module: string, classes: Map<string, Set<string>>): void {
  let current = '';
  for (const line of source.split('\n')) {
    const className = /^class (\w+)\(Module\):/.exec(line)?.[1];
    if (className !== undefined) current = `${module}.${className}`;
    const list = /^ {2}__(?:parameters|buffers)__ = \[(.*)\]$/.exec(line)?.[1];
    if (list === undefined || current === '') continue;
    const names = classes.get(current) ?? new Set();
    for (const [, name] of list.matchAll(/"([^"]*)"/g)) names.add(name!);
    classes.set(current, names);
  }
}

/**
 * The parameters and buffers of a TorchScript module under PyTorch's names. Where the archive's source does not say
 * what is a parameter or buffer (before PyTorch 1.6), every tensor counts.
 */
export function torchScriptStateDict(module: PythonObject<PthValue>, classes: TorchScriptClasses): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  const visit = ({ className, state }: PythonObject<PthValue>, prefix: string) => {
    if (!(state instanceof Map)) return;
    const names = classes.get(className);
    for (const [name, value] of state) {
      if (value instanceof Tensor && (names?.has(String(name)) ?? true)) found.set(prefix + String(name), value);
    }
    for (const [name, value] of state) {
      if (isPythonObject(value) && value.className.startsWith('__torch__.')) {
        visit(value as PythonObject<PthValue>, `${prefix}${String(name)}.`);
      }
    }
  };
  visit(module, '');
  return found;
}
