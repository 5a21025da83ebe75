// Channels of fluorescence and grey slides: which are shown, in which colours and ranges. The server merges them.

import type { Channel, Slide } from '../api.ts';
import { byId, el, fill } from '../page.ts';
import type { Picture } from './state.ts';

export interface ChannelSetting { shown: boolean; color: string; low: number; high: number; gamma: number }

const defaultOf = ({ color, low, high }: Channel): ChannelSetting => ({ shown: true, color, low, high, gamma: 1 });
export const defaultSettings = (channels: Channel[]): ChannelSetting[] => channels.map(defaultOf);

const isDefault = (setting: ChannelSetting, channel: Channel) =>
  Object.entries(defaultOf(channel)).every(([name, value]) => setting[name as keyof ChannelSetting] === value);

const entry = ({ color, low, high, gamma }: ChannelSetting, index: number) =>
  `${index}:${color.slice(1)}:${low}:${high}${gamma === 1 ? '' : `:${gamma}`}`;

/** Formats settings as the server and the permalink have them; null if all are the defaults. */
export function formatChannels(settings: ChannelSetting[], channels: Channel[]): string | null {
  if (channels.every((channel, i) => settings[i] && isDefault(settings[i], channel))) return null;
  return settings.map((setting, i) => setting.shown ? entry(setting, i) : '').filter(Boolean).join(',');
}

/** Reads the channels of a permalink; those that it does not name are hidden and have their defaults. */
export function parseChannels(text: string | undefined, channels: Channel[]): ChannelSetting[] {
  const settings = defaultSettings(channels);
  if (text === undefined) return settings;
  for (const setting of settings) setting.shown = false;
  for (const part of text.split(',')) {
    const [index, color = '', low, high, gamma = 1] = part.split(':'), setting = settings[Number(index)];
    const [from, to, exponent] = [low, high, gamma].map(Number) as [number, number, number];
    if (index && setting && /^[\da-f]{6}$/.test(color) && from < to && exponent >= 0.1 && exponent <= 10)
      Object.assign(setting, { shown: true, color: `#${color}`, low: from, high: to, gamma: exponent });
  }
  return settings;
}

export interface ChannelPanel {
  /** Channels of a picture, as its tiles' addresses have them; null for the defaults. */
  queryOf: (picture: Picture) => string | null;
  /** Lists the channels of the slides that are shown. */
  follow: (pictures: { picture: Picture; slide: Slide }[]) => void;
}

const changeDelay = 120;

/** Connects the section of the panel. `chosen` holds the settings of slides by their identifiers, and follows changes. */
export function startChannels(chosen: Map<string, string>, changed: () => void): ChannelPanel {
  const settings = new Map<string, ChannelSetting[]>();
  let listed = '', timer = 0;

  const settingsOf = ({ id, channels }: Slide) => {
    const known = settings.get(id) ?? parseChannels(chosen.get(id), channels);
    settings.set(id, known);
    return known;
  };

  function keep(slide: Slide): void {
    const text = formatChannels(settingsOf(slide), slide.channels);
    if (text === null) chosen.delete(slide.id);
    else chosen.set(slide.id, text);
    clearTimeout(timer);
    timer = setTimeout(changed, changeDelay);
  }

  // Controls of a channel, and a function that shows its setting in them.
  function row(slide: Slide, channel: Channel, setting: ChannelSetting): { node: HTMLElement; show: () => void } {
    const { name, most } = channel, limit = Math.min(most, Math.ceil(2 * Math.max(channel.autoHigh, channel.high)));
    const input = (type: string, label: string, more: object = {}) => el('input', { type, 'aria-label': `${label} of ${name}`, ...more });
    const slider = (label: string, max = limit) => input('range', label, { min: '0', max: String(max), step: 'any' });
    const number = (label: string) => input('number', `${label} as a number`, { min: '0', max: String(most), step: 'any' });
    const shown = el('input', { type: 'checkbox' }), color = input('color', 'Colour');
    const lows = [slider('Darkest sample'), number('Darkest sample')], highs = [slider('Brightest sample'), number('Brightest sample')];
    const gamma = slider('Gamma', 3), gammaText = el('output');
    const show = () => {
      shown.checked = setting.shown;
      color.value = setting.color;
      // A number that somebody types stays as it is.
      for (const [key, inputs] of [['low', lows], ['high', highs], ['gamma', [gamma]]] as const)
        for (const one of inputs) if (one !== document.activeElement || one.type === 'range') one.value = String(setting[key]);
      gammaText.textContent = setting.gamma.toFixed(2);
    };
    const change = (part: Partial<ChannelSetting>) => {
      Object.assign(setting, part);
      show();
      keep(slide);
    };
    const listen = (inputs: HTMLInputElement[], set: (value: number) => void) => inputs.forEach(one => one.addEventListener('input', () => {
      const value = Number(one.value);
      if (one.value !== '' && value >= 0 && value <= most) set(value);
    }));
    const whole = (value: number) => limit > 20 ? Math.round(value) : value;
    shown.addEventListener('change', () => change({ shown: shown.checked }));
    color.addEventListener('input', () => change({ color: color.value }));
    // The two samples differ: the one that is moved pushes the other one.
    listen(lows, value => change({ low: whole(value), high: Math.max(setting.high, whole(value) + 1) }));
    listen(highs, value => change({ high: Math.max(whole(value), 1), low: Math.min(setting.low, Math.max(whole(value), 1) - 1) }));
    listen([gamma], value => change({ gamma: Math.max(0.1, Number(value.toFixed(2))) }));
    const hidden = (text: string) => el('span', { class: 'visually-hidden' }, text);
    const button = (text: string, more: string, part: Partial<ChannelSetting>) =>
      el('button', { class: 'quiet', type: 'button', onclick: () => change(part) }, text, hidden(`${more} of ${name}`));
    show();
    return { show, node: el('li', { class: 'channel' },
      el('div', { class: 'channel-head' }, el('label', {}, shown, ` ${name}`), color),
      el('details', { open: slide.channels.length <= 3 },
        el('summary', {}, 'Range', hidden(` of ${name}`)),
        el('div', { class: 'range' }, el('span', {}, 'Min'), ...lows, el('span', {}, 'Max'), ...highs, el('span', {}, 'Gamma'), gamma,
          gammaText),
        el('div', { class: 'group' }, button('Auto', ' range', { low: channel.autoLow, high: channel.autoHigh }),
          button('Defaults', '', defaultOf(channel))))) };
  }

  function group(slide: Slide, withName: boolean): HTMLElement[] {
    const own = settingsOf(slide), rows = slide.channels.map((channel, i) => row(slide, channel, own[i] ?? defaultOf(channel)));
    const setAll = (shown: boolean) => {
      for (const setting of own) setting.shown = shown;
      for (const { show } of rows) show();
      keep(slide);
    };
    const button = (text: string, shown: boolean) => el('button', { class: 'quiet', type: 'button', onclick: () => setAll(shown) }, text);
    return [...withName ? [el('h2', {}, slide.name)] : [],
      ...rows.length < 3 ? [] : [el('div', { class: 'group', role: 'group', 'aria-label': `All channels of ${slide.name}` },
        button('Show all', true), button('Hide all', false))],
      el('ul', { class: 'channels' }, ...rows.map(({ node }) => node))];
  }

  return {
    queryOf: ({ slide, layer }) => layer === 'source' ? chosen.get(slide) ?? null : null,
    follow(pictures) {
      const slides = [...new Map(pictures.filter(({ picture, slide }) => picture.layer === 'source' && slide.channels.length > 0)
        .map(({ slide }) => [slide.id, slide])).values()];
      const names = slides.map(slide => slide.id).join(' ');
      if (names === listed) return;
      listed = names;
      byId('channels-section').hidden = slides.length === 0;
      fill(byId('channels'), ...slides.flatMap(slide => group(slide, slides.length > 1)));
    },
  };
}
