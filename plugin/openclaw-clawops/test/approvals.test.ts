import assert from "node:assert/strict";
import { test } from "node:test";
import { confirmShown, conversationKey, inboundOf, recordInbound, withQuestions } from "../src/approvals.ts";
import { Outbox } from "../src/outbox.ts";
import type { PendingQuestion } from "../src/shared.ts";
import { claims, stub } from "./support.ts";

const DM = { channelId: "telegram", accountId: "default", conversationId: "telegram:777" };
const HERE = "telegram:default:777";
const QUESTION = "Create 2 standard accounts for $24.00 a month? Answer: go A7K2";

const log = { warn: (): void => {} };
const noPause = (): Promise<void> => new Promise((done) => setImmediate(done));

test("a conversation has one name, and the gateway's own chats have none", () => {
  assert.equal(conversationKey(DM), HERE);
  assert.equal(conversationKey({ channelId: "telegram" }, "777"), HERE);
  assert.equal(conversationKey({ channelId: "irc", accountId: "net", conversationId: "#ops" }), "irc:net:#ops");
  assert.equal(conversationKey({ channelId: "irc", conversationId: "channel:#ops" }), "irc:default:#ops");
  assert.equal(conversationKey({ channelId: "webchat", conversationId: "webchat:1" }), undefined);
  assert.equal(conversationKey({ channelId: "telegram" }), undefined);
});

test("evidence is what the host recorded", () => {
  const event = {
    content: "go",
    timestamp: Date.parse("2026-11-21T08:00:00Z"),
    messageId: "41",
    senderId: "777",
    replyToId: "40",
    providerUpdate: { id: "9001" },
  };
  assert.deepEqual(inboundOf(event, DM), {
    channel: "telegram",
    accountId: "default",
    senderId: "777",
    conversation: HERE,
    messageId: "41",
    providerUpdateId: "9001",
    text: "go",
    replyToMessageId: "40",
    at: "2026-11-21T08:00:00.000Z",
  });
  const { senderId: _, ...unsigned } = event;
  assert.equal(inboundOf(unsigned, DM), undefined, "nobody's message proves nothing");
  assert.equal(inboundOf(event, { channelId: "webchat", conversationId: "x" }), undefined);
});

test("records arrive in order, also when the control plane stumbles, and as the plugin itself", async () => {
  let failures = 2;
  const fleet = await stub(() => (failures-- > 0 ? { status: 503, body: {} } : { body: {} }));
  const outbox = new Outbox(fleet.plane, log, noPause);
  const event = { content: "go", messageId: "41", senderId: "777" };
  await Promise.all([
    recordInbound(event, DM, outbox),
    recordInbound({ ...event, messageId: "42", content: "no" }, DM, outbox),
  ]);
  const texts = fleet.asked.map(({ body }) => (JSON.parse(body) as { text: string }).text);
  assert.deepEqual(texts, ["go", "go", "go", "no"]);
  assert.ok(fleet.asked.every((asked) => claims(asked).agent === "plugin:clawops"));
  await fleet.close();
});

test("a record that the control plane refuses is not sent for ever", async () => {
  const fleet = await stub(() => ({ status: 409, body: { error: { code: "replayed", message: "seen" } } }));
  const warnings: string[] = [];
  const outbox = new Outbox(fleet.plane, { warn: (text) => warnings.push(text) }, noPause);
  await recordInbound({ content: "go", messageId: "41", senderId: "777" }, DM, outbox);
  assert.equal(fleet.asked.length, 1);
  assert.match(warnings.join(), /replayed: seen/);
  await fleet.close();
});

test("the question leaves below the agent's words, once, and its leaving is confirmed", async () => {
  const fleet = await stub(({ method }) =>
    method === "GET" ? { body: { questions: [{ approval: "A7K2", question: QUESTION }] } } : { body: {} },
  );
  const pending = new Map<string, PendingQuestion>();
  const outbox = new Outbox(fleet.plane, log, noPause);

  const text = await withQuestions("I have a plan.", HERE, fleet.plane, pending);
  assert.equal(text, `I have a plan.\n\n${QUESTION}`);
  assert.equal(fleet.asked[0]?.path, "/v1/questions?conversation=telegram%3Adefault%3A777");
  assert.equal(await withQuestions("One more thing.", HERE, fleet.plane, pending), undefined, "it is on its way");

  confirmShown({ content: "One more thing.", success: true, messageId: "50" }, HERE, pending, outbox);
  confirmShown({ content: text ?? "", success: true, messageId: "51" }, "telegram:default:778", pending, outbox);
  assert.equal(pending.size, 1, "neither another message nor another conversation confirms it");
  confirmShown({ content: text ?? "", success: true, messageId: "51" }, HERE, pending, outbox);
  await outbox.send("/v1/evidence/inbound", {});
  const shown = fleet.asked.filter(({ path }) => path === "/v1/evidence/shown").map(({ body }) => JSON.parse(body) as unknown);
  assert.deepEqual(shown, [{ approval: "A7K2", conversation: HERE, messageId: "51", success: true }]);
  await fleet.close();
});

test("a message that failed to leave has not shown its question", async () => {
  const fleet = await stub(({ method }) =>
    method === "GET" ? { body: { questions: [{ approval: "A7K2", question: QUESTION }] } } : { body: {} },
  );
  const pending = new Map<string, PendingQuestion>();
  const outbox = new Outbox(fleet.plane, log, noPause);
  const text = (await withQuestions("a", HERE, fleet.plane, pending)) ?? "";
  confirmShown({ content: text, success: false }, HERE, pending, outbox);
  assert.ok(await withQuestions("b", HERE, fleet.plane, pending), "it is asked again at once");
  await outbox.send("/v1/evidence/inbound", {});
  await fleet.close();
});

test("a question whose leaving was never confirmed is asked again", async () => {
  const fleet = await stub(() => ({ body: { questions: [{ approval: "A7K2", question: QUESTION }] } }));
  const pending = new Map<string, PendingQuestion>();
  const start = 1_000_000;
  assert.ok(await withQuestions("a", HERE, fleet.plane, pending, start));
  assert.equal(await withQuestions("b", HERE, fleet.plane, pending, start + 299_000), undefined);
  assert.ok(await withQuestions("b", HERE, fleet.plane, pending, start + 301_000));
  await fleet.close();
});
