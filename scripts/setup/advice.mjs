// What is needed from the system, and the commands that bring it, one platform after the other. Pure functions.

/** Debian's and Ubuntu's packages for each thing set-up looks for. */
export const APT_PACKAGES = {
  libtorch: ['libtorch-dev', 'libgloo-dev', 'libopenblas0-pthread'],
  gloo: ['libgloo-dev'],
  blas: ['libopenblas0-pthread'],
  cmake: ['cmake'],
  make: ['make'],
  ffmpeg: ['ffmpeg'],
};

const BREW_FORMULAE = { libtorch: 'pytorch', cmake: 'cmake', ffmpeg: 'ffmpeg' };

const NAMES = {
  libtorch: 'libtorch',
  gloo: "Gloo's headers",
  blas: 'a fast BLAS (libtorch is very slow with the reference BLAS)',
  cmake: 'CMake',
  make: 'make',
  ffmpeg: 'FFmpeg (ffmpeg and ffprobe)',
};

export const namesOf = (missing) => missing.map((thing) => NAMES[thing]).join(', ');

export const aptPackagesFor = (missing) => [...new Set(missing.flatMap((thing) => APT_PACKAGES[thing]))];

/** The commands for what is `missing`, as lines, on `platform` ('linux', 'darwin') with or without apt. */
export function adviceFor(missing, { platform, hasApt }) {
  const lines = [];
  if (hasApt) {
    lines.push('Debian or Ubuntu:', `    sudo apt-get update`);
    lines.push(`    sudo apt-get install -y ${aptPackagesFor(missing).join(' ')}`);
  } else if (platform === 'darwin') {
    const formulae = missing.map((thing) => BREW_FORMULAE[thing]).filter(Boolean);
    if (formulae.length > 0) lines.push('Homebrew:', `    brew install ${formulae.join(' ')}`);
  } else {
    const others = missing.filter((thing) => thing !== 'libtorch' && thing !== 'gloo' && thing !== 'blas');
    if (others.length > 0) lines.push(`With your system's package manager, install: ${others.join(' ')}`);
  }
  if (missing.includes('libtorch')) lines.push(...LIBTORCH_ELSEWHERE);
  lines.push('Then run `npm run setup` again.');
  return lines;
}

const LIBTORCH_ELSEWHERE = [
  'Or use the libtorch of a Python torch package (a CUDA build brings its GPU support along):',
  '    python3 -m pip install torch',
  'Or a libtorch folder, downloaded from https://pytorch.org/get-started/locally/ (LibTorch, C++, cxx11 ABI):',
  '    export CHRONOTOPE_LIBTORCH=/path/to/libtorch',
];

/** How to get a C++ compiler. */
export function compilerAdvice({ platform, hasApt }) {
  if (platform === 'darwin') return ['    xcode-select --install'];
  if (hasApt) return ['    sudo apt-get install -y g++ make'];
  return ['    Fedora:  sudo dnf install gcc-c++ make', '    Arch:    sudo pacman -S gcc make'];
}
