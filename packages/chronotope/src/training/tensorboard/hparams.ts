import protobuf from 'protobufjs';
import { isMapping } from '../../mapping.js';
import type { SummaryValue } from './messages.js';

/** What TensorBoard's table of hyperparameters knows of a session; names and numbers are those of its plugin. */
const SCHEMA = `
  syntax = "proto3";
  message HParamsPluginData {
    int32 version = 1;
    oneof data {
      SessionStartInfo session_start_info = 3;
      SessionEndInfo session_end_info = 4;
    }
  }
  message SessionStartInfo {
    map<string, Value> hparams = 1;
    double start_time_secs = 5;
  }
  message SessionEndInfo {
    int32 status = 1;
    double end_time_secs = 2;
  }
  message Value {
    oneof kind {
      double number_value = 2;
      string string_value = 3;
      bool bool_value = 4;
    }
  }
`;

const PLUGIN_DATA = protobuf.parse(SCHEMA).root.lookupType('HParamsPluginData');
const SUCCESS = 1;

/** A session begins: with these settings, groups of which become dotted names. */
export function sessionStart(settings: object): SummaryValue {
  const hparams = Object.fromEntries(flat(settings).map(([key, value]) => [key, hparamOf(value)]));
  return inPlugin('session_start_info', { sessionStartInfo: { hparams, startTimeSecs: Date.now() / 1000 } });
}

/** A session has ended as it should. */
export function sessionEnd(): SummaryValue {
  return inPlugin('session_end_info', { sessionEndInfo: { status: SUCCESS, endTimeSecs: Date.now() / 1000 } });
}

function inPlugin(tag: string, data: object): SummaryValue {
  const content = PLUGIN_DATA.encode(PLUGIN_DATA.create({ version: 0, ...data })).finish();
  return { tag: `_hparams_/${tag}`, metadata: { pluginData: { pluginName: 'hparams', content } } };
}

function flat(settings: object, prefix = ''): [string, unknown][] {
  return Object.entries(settings).flatMap(([name, value]): [string, unknown][] =>
    isMapping(value) ? flat(value, `${prefix}${name}.`) : [[`${prefix}${name}`, value]],
  );
}

/** Lists and null, which the table does not know, as text. */
function hparamOf(value: unknown): object {
  if (typeof value === 'number') return { numberValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return { stringValue: typeof value === 'string' ? value : JSON.stringify(value) };
}
