// The contestant of benches/slack.py: Bolt for JavaScript keeps one row per request, durably, and then acks.
//
// node slack_bolt.js PORT DATABASE, with SLACK_SIGNING_SECRET, and NODE_PATH to where the packages are.
"use strict";

const { App, HTTPReceiver, LogLevel } = require("@slack/bolt");
const Database = require("better-sqlite3");

const [port, file] = process.argv.slice(2);

const db = new Database(file);
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec("CREATE TABLE IF NOT EXISTS inbox (key TEXT PRIMARY KEY, at INTEGER NOT NULL, asked TEXT NOT NULL, state TEXT NOT NULL)");
const insert = db.prepare("INSERT INTO inbox (key, at, asked, state) VALUES (?, ?, ?, 'waiting') ON CONFLICT (key) DO NOTHING");

const receiver = new HTTPReceiver({
  signingSecret: process.env.SLACK_SIGNING_SECRET,
  endpoints: ["/slack/commands", "/slack/interactions"],
  logLevel: LogLevel.ERROR,
});
const app = new App({
  receiver,
  logLevel: LogLevel.ERROR,
  // Known beforehand, so that Slack is never asked.
  authorize: async () => ({ botToken: "xoxb-bench", botId: "B1", botUserId: "U0BOT" }),
});

function keep(key, asked) {
  return insert.run(key, Date.now(), JSON.stringify(asked)).changes === 1;
}

app.command("/ops", async ({ ack, command, respond }) => {
  const fresh = keep(`cmd:${command.team_id}:${command.trigger_id}`, {
    by: { user: command.user_id, team: command.team_id },
    channel: command.channel_id,
    reply_to: command.response_url,
    trigger: command.trigger_id,
    what: { command: command.text },
  });
  await ack();
  if (fresh && command.response_url) {
    await respond({ text: "Daily Ops: what can be asked", response_type: "ephemeral", replace_original: false });
  }
});

app.action(/.*/, async ({ ack, action, body, respond }) => {
  const place = [body.team.id, body.channel.id, body.message.ts, body.user.id, action.action_id, action.action_ts];
  const fresh = keep(`act:${place.join(":")}`, {
    by: { user: body.user.id, team: body.team.id },
    channel: body.channel.id,
    message: body.message.ts,
    reply_to: body.response_url,
    trigger: body.trigger_id,
    what: { press: action.action_id, item: action.value },
  });
  await ack();
  if (fresh && body.response_url) {
    await respond({ text: "this message is too old", response_type: "ephemeral", replace_original: false });
  }
});

app.start({ port: Number(port), host: "127.0.0.1" });
