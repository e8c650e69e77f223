// libtorch, CMake, make and FFmpeg: found, or installed with apt, or asked for with the commands to type.
import { adviceFor, aptPackagesFor, namesOf } from './advice.mjs';
import { isInstalled, slowBlasLinks } from './debian.mjs';
import { SetupError } from './output.mjs';
import { onPath, run, succeeds, thisPlatform } from './run.mjs';

/**
 * Makes sure of everything the system must bring. What is missing is installed with apt if `install` is true and apt
 * can be used without a password; else a SetupError carries the commands to type.
 */
export function provideSystemPackages({ findLibtorch, install, progress }) {
  let { libtorch, missing } = lookAround(findLibtorch);
  if (missing.length > 0) {
    const asRoot = install && thisPlatform().hasApt ? wordsForRoot() : undefined;
    if (!asRoot) throw missingError(missing);
    installWithApt(aptPackagesFor(missing), asRoot, progress);
    ({ libtorch, missing } = lookAround(findLibtorch));
    if (missing.length > 0) throw missingError(missing);
  }
  progress.present(`libtorch ${libtorch.version} (${libtorch.libDir}), CMake, FFmpeg`);
  if (isDebianPackage(libtorch)) warnOfSlowBlas(progress);
}

function lookAround(findLibtorch) {
  const libtorch = libtorchOrError(findLibtorch);
  const missing = [];
  if (!libtorch) missing.push('libtorch');
  if (libtorch && isDebianPackage(libtorch)) {
    if (!isInstalled('libgloo-dev')) missing.push('gloo');
    if (slowBlasLinks().length > 0 && !isInstalled('libopenblas0-pthread')) missing.push('blas');
  }
  if (!onPath('cmake')) missing.push('cmake');
  if (!onPath('make') && !onPath('ninja')) missing.push('make');
  if (!process.env.CHRONOTOPE_FFMPEG && !(onPath('ffmpeg') && onPath('ffprobe'))) missing.push('ffmpeg');
  return { libtorch, missing };
}

/** findLibtorch throws when CHRONOTOPE_LIBTORCH leads nowhere. */
function libtorchOrError(findLibtorch) {
  try {
    return findLibtorch();
  } catch (error) {
    throw new SetupError(error.message);
  }
}

const isDebianPackage = (libtorch) => libtorch.kind === 'system' && onPath('dpkg-query') !== undefined;

const missingError = (missing) => new SetupError(`missing ${namesOf(missing)}.`, adviceFor(missing, thisPlatform()));

/** What a command must begin with to run as root: nothing as root, sudo where it asks for no password; else undefined. */
function wordsForRoot() {
  if (process.getuid() === 0) return [];
  return onPath('sudo') && succeeds('sudo', ['-n', 'true']) ? ['sudo', '-n'] : undefined;
}

function installWithApt(packages, asRoot, progress) {
  const [command, ...words] = [...asRoot, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  const apt = [...words, '-qq', '-o', 'DPkg::Lock::Timeout=300'];
  const started = performance.now();
  progress.doing(`installing with apt: ${packages.join(' ')} (some minutes)`);
  // A broken third-party source fails the update although the packages may still be had.
  if (!succeeds(command, [...apt, 'update']))
    progress.warn('apt-get update failed; going on with the lists there are.');
  run(command, [...apt, 'install', '-y', '--no-install-recommends', ...packages], {
    failure: 'apt could not install what is missing',
    remedy: ['', 'Install by hand, then run `npm run setup` again:', `    sudo apt-get install ${packages.join(' ')}`],
  });
  progress.done(`installed ${packages.join(' ')}`, started);
}

/** Installs what is useful but not needed; false where that is not possible, which is no error. */
export function installIfPossible(packages, progress) {
  const asRoot = thisPlatform().hasApt ? wordsForRoot() : undefined;
  if (!asRoot) return false;
  try {
    installWithApt(packages, asRoot, progress);
    return true;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return false;
  }
}

/** An administrator's own choice of the slow BLAS is not overruled, only named. */
function warnOfSlowBlas(progress) {
  const slow = slowBlasLinks();
  if (slow.length === 0) return;
  const commands = slow.map((name) => `    sudo update-alternatives --auto ${name}`);
  progress.warn('The reference BLAS is selected, with which libtorch is very slow. Select OpenBLAS:', commands);
}
