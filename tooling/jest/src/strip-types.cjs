const { stripTypeScriptTypes } = require('node:module');

// Types become blanks, so lines and columns of a failure are those of the source.
module.exports = { process: (source) => ({ code: stripTypeScriptTypes(source, { mode: 'strip' }) }) };
