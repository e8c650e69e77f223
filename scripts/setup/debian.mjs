import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf } from './run.mjs';

/** Whether dpkg has this package installed and configured. */
export function isInstalled(debianPackage) {
  return outputOf('dpkg-query', ['--show', '--showformat=$' + '{db:Status-Status}', debianPackage]) === 'installed';
}

/** Names of Debian's alternatives for BLAS and LAPACK that lead to the slow reference libraries. */
export function slowBlasLinks(folder = '/etc/alternatives') {
  const links = readdirSync(folder).filter((name) => /^lib(blas|lapack)\.so\.3-/.test(name));
  // Debian keeps the reference libraries in …/blas/ and …/lapack/, the others in folders of their own names.
  return links.filter((name) => /\/(blas|lapack)\/[^/]+$/.test(readlinkSync(join(folder, name))));
}
