// An app written with Bolt for JavaScript, for tests/it/bolt.rs. Without PORT it uses Socket Mode.
"use strict";

const { App, LogLevel } = require("@slack/bolt");

const port = Number(process.env.PORT);
const app = new App({
  token: process.env.SLACK_BOT_TOKEN,
  signingSecret: process.env.SLACK_SIGNING_SECRET,
  appToken: process.env.SLACK_APP_TOKEN,
  socketMode: !port,
  logLevel: LogLevel.WARN,
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL },
});

const plain = (text) => ({ type: "plain_text", text });
const products = ["apples", "apricots", "bread"];

const order = (text) => [
  { type: "section", text: { type: "mrkdwn", text } },
  {
    type: "actions",
    block_id: "decide",
    elements: [
      { type: "button", action_id: "approve", text: plain("Approve"), style: "primary", value: text },
      { type: "button", action_id: "details", text: plain("Details") },
    ],
  },
];

const form = {
  type: "modal",
  callback_id: "order_form",
  notify_on_close: true,
  title: plain("Order"),
  submit: plain("Send"),
  blocks: [
    { type: "input", block_id: "reason", label: plain("Why?"), element: { type: "plain_text_input", action_id: "reason" } },
    {
      type: "input", block_id: "product", label: plain("What?"),
      element: { type: "external_select", action_id: "product", min_query_length: 1 },
    },
  ],
};

app.command("/order", async ({ ack, command, client }) => {
  await ack();
  const text = `Order: ${command.text}`;
  await client.chat.postMessage({ channel: command.channel_id, text, blocks: order(text) });
});

app.command("/quick", async ({ ack }) => ack("Right away"));

app.command("/shout", async ({ ack, command }) => ack({ response_type: "in_channel", text: command.text.toUpperCase() }));

app.action("approve", async ({ ack, body, action, client, respond }) => {
  await ack();
  await client.chat.update({
    channel: body.channel.id, ts: body.message.ts, text: `Approved by <@${body.user.id}>`,
    blocks: [{ type: "section", text: { type: "mrkdwn", text: `Approved by <@${body.user.id}>: ${action.value}` } }],
  });
  await respond({ text: "Thank you", replace_original: false });
});

app.action("details", async ({ ack, body, client }) => {
  await ack();
  await client.views.open({ trigger_id: body.trigger_id, view: { ...form, private_metadata: body.channel.id } });
});

app.options("product", async ({ ack, options }) => {
  const found = products.filter((name) => name.startsWith(options.value));
  await ack({ options: found.map((name) => ({ text: plain(name), value: name })) });
});

app.view("order_form", async ({ ack, view, client, body }) => {
  const values = view.state.values;
  const reason = values.reason.reason.value;
  if (!reason || reason.length < 5) {
    await ack({ response_action: "errors", errors: { reason: "Say a little more" } });
    return;
  }
  await ack();
  const product = values.product.product.selected_option.value;
  await client.chat.postMessage({ channel: view.private_metadata, text: `<@${body.user.id}> wants ${product}: ${reason}` });
});

app.view({ callback_id: "order_form", type: "view_closed" }, async ({ ack, view, client, body }) => {
  await ack();
  const channel = view.private_metadata || body.user.id;
  await client.chat.postMessage({ channel, text: "Never mind then" });
});

app.shortcut("new_order", async ({ ack, shortcut, client }) => {
  await ack();
  await client.views.open({ trigger_id: shortcut.trigger_id, view: form });
});

app.shortcut("quote", async ({ ack, shortcut, respond }) => {
  await ack();
  await respond({ text: `> ${shortcut.message.text}` });
});

app.message(/^good morning/, async ({ message, say }) => {
  await say({ text: `Good morning, <@${message.user}>`, thread_ts: message.ts });
});

app.event("app_mention", async ({ event, say }) => {
  await say(`You called, <@${event.user}>?`);
});

app.event("reaction_added", async ({ event, client }) => {
  await client.chat.postMessage({ channel: event.item.channel, text: `:${event.reaction}: noted` });
});

app.event("app_home_opened", async ({ event, client }) => {
  await client.views.publish({
    user_id: event.user,
    view: { type: "home", blocks: [{ type: "section", text: { type: "mrkdwn", text: `Welcome, <@${event.user}>` } }] },
  });
});

app.error(async (error) => {
  process.stderr.write(`${error.stack}\n`);
});

app.start(port || undefined).then(() => process.stdout.write("ready\n"));
