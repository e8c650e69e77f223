const OLDEST = [20, 19];

/** Whether this version of Node is new enough; if it is not, says so on stderr. */
export function checkNodeVersion(version) {
  const [major, minor] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return true;
  console.error(`Node ${version} is too old: ${OLDEST.join('.')} or newer is needed.`);
  console.error('Get one from https://nodejs.org/en/download, or with nvm: nvm install 22');
  return false;
}
