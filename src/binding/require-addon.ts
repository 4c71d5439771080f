/** The addon, for calls that need it whichever transport is in use. */
import { noAddonError } from '../errors/index.js';
import { addonStatus, type NativeAddon } from './addon.js';

/** Throws ERR_NEARWIRE_NO_ADDON if it did not load. */
export function tuneAddon(): NativeAddon {
  const { addon, reason } = addonStatus();
  if (addon === undefined) throw noAddonError(reason);
  return addon;
}
