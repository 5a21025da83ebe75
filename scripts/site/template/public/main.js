// Only code with a language is coloured: commands and their output have none.
export default { configureHljs: hljs => hljs.configure({ languages: [] }) }
