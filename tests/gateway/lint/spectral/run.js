// Spectral as a filter: a line of JSON for each case goes in, a line with what Spectral finds in it comes out.
//
//   in    {"ruleset": "<file>", "document": "<text>", "file": "<the document's name>"}
//   out   {"findings": [{"code", "severity", "message", "path", "line", "column"}]}  or  {"refused": "<why>"}
//
// Severities as in Spectral (0 error ... 3 hint), lines and columns from 0. Nothing is fetched.
'use strict';
const fs = require('fs');
const readline = require('readline');
const { createRequire } = require('module');

const packages = createRequire(`${process.argv[2]}/`);
const { Spectral, Document } = packages('@stoplight/spectral-core');
const Parsers = packages('@stoplight/spectral-parsers');
const { bundleAndLoadRuleset } = packages('@stoplight/spectral-ruleset-bundler/with-loader');

const fetch = async () => {
  throw new Error('nothing is fetched');
};
console.error = () => {};

// Spectral makes a new JSON Schema compiler for each document. Here one serves all documents of a ruleset, so that each
// schema in it is compiled once; that is most of the time.
const compiling = packages('@stoplight/spectral-functions/dist/schema/ajv');
const { createAjvInstances } = compiling;
const compilers = new Map();
let asked;
compiling.createAjvInstances = () => {
  if (!compilers.has(asked)) compilers.set(asked, createAjvInstances());
  return compilers.get(asked);
};

const rulesets = new Map();

function loaded(file) {
  if (!rulesets.has(file)) rulesets.set(file, bundleAndLoadRuleset(file, { fs, fetch }));
  return rulesets.get(file);
}

async function found({ ruleset, document, file }) {
  try {
    asked = ruleset;
    const spectral = new Spectral();
    spectral.setRuleset(await loaded(ruleset));
    const results = await spectral.run(new Document(document, Parsers.Yaml, file));
    return {
      findings: results.map(({ code, severity, message, path, range }) => ({
        code: String(code),
        severity,
        message,
        path: path.map(String),
        line: range.start.line,
        column: range.start.character,
      })),
    };
  } catch (error) {
    return { refused: String((error.errors && error.errors[0]) || error.cause || error) };
  }
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(await found(JSON.parse(line))) + '\n');
  }
}

main();
