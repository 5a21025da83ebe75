// Rules of the modules that reports and the viewer share: those of the report's script.

export { default } from '../Tinctor.Evaluation/Report/Script/eslint.config.js';
