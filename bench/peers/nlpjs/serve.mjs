// NLP.js behind the protocol of bench.peers.peer: one JSON object a line, in and out.
import { createInterface } from "node:readline";
import { dockStart } from "@nlpjs/basic";
import { LangNl } from "@nlpjs/lang-nl";

const dock = await dockStart({ settings: { nlp: { autoSave: false, autoLoad: false } }, use: ["Basic"] });
dock.getContainer().use(LangNl);
const nlp = dock.get("nlp");
nlp.addLanguage("nl");
nlp.settings.log = false;
for (const name of ["log", "info", "debug"]) console[name] = console.error;

async function train(pairs) {
  for (const [text, intent] of pairs) nlp.addDocument("nl", text, intent === "out_of_scope" ? "None" : intent);
  await nlp.train();
  return {};
}

async function ask(text) {
  const found = await nlp.process("nl", text);
  const ranked = found.classifications.map((one) => [one.intent === "None" ? "out_of_scope" : one.intent, one.score]);
  return { ranked };
}

for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line);
  const started = performance.now();
  const answer = call.train ? await train(call.train) : await ask(call.ask);
  process.stdout.write(`${JSON.stringify({ ...answer, seconds: (performance.now() - started) / 1000 })}\n`);
}
