import { SetupError } from './output.mjs';

/** Builds the native addon of @chronotope/torch unless it is up to date, which its own build script judges. */
export async function provideAddon(buildAddon, progress) {
  const started = performance.now();
  let state;
  try {
    state = await buildAddon({ quiet: true });
  } catch (error) {
    throw new SetupError(error.message);
  }
  if (state === 'fresh') progress.present('native addon');
  else progress.done('native addon built', started);
}
