// A human's yes: what a channel really received goes to the control plane as evidence; what the control plane asks
// goes into the conversation in its own words. Nothing here decides anything, and nothing here comes from a model.

import { PLUGIN_ITSELF } from "./caller.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { Outbox } from "./outbox.ts";
import type { PendingQuestion, Shared } from "./shared.ts";

/** The host's message context, as far as it is used. */
export interface Where {
  channelId: string;
  accountId?: string;
  conversationId?: string;
  senderId?: string;
  messageId?: string;
}

export interface Received {
  content: string;
  timestamp?: number;
  messageId?: string;
  senderId?: string;
  replyToId?: string;
  replyToIdFull?: string;
  providerUpdate?: { id: string };
}

export interface Inbound {
  channel: string;
  accountId: string;
  senderId: string;
  conversation: string;
  messageId: string;
  providerUpdateId?: string;
  text: string;
  replyToMessageId?: string;
  at: string;
}

export interface Question {
  approval: string;
  question: string;
}

/**
 * A question is asked again if its leaving was not confirmed by then. Telegram confirms, or says that it failed, at
 * once; IRC never does, and there the question should not be below every line.
 */
const CONFIRM_WITHIN_MS = 300_000;
const ASK_WITHIN_MS = 3_000;

/** Conversations inside the gateway: whoever holds its token speaks there, so nothing said there is evidence. */
const NOT_A_CHANNEL = new Set(["webchat", "internal", "cli", "gateway"]);

/** `telegram:default:777`, or nothing where it is not a conversation of a channel. */
export function conversationKey(where: Where, to?: string): string | undefined {
  const { channelId: channel } = where;
  const peer = where.conversationId ?? to;
  if (!channel || NOT_A_CHANNEL.has(channel) || !peer) return undefined;
  const own = peer.startsWith(`${channel}:`) ? peer.slice(channel.length + 1) : peer;
  // Channels write one and the same peer with and without its kind.
  const bare = own.replace(/^(?:channel|group|direct|dm|user):/, "");
  return `${channel}:${where.accountId ?? "default"}:${bare}`;
}

/** What the host recorded of a message; nothing where it is not one that a person sent through a channel. */
export function inboundOf(event: Received, where: Where, now: Date = new Date()): Inbound | undefined {
  const conversation = conversationKey(where);
  const senderId = event.senderId ?? where.senderId;
  const messageId = event.messageId ?? where.messageId;
  if (conversation === undefined || !senderId || !messageId) return undefined;
  const replyTo = event.replyToIdFull ?? event.replyToId;
  return {
    channel: where.channelId,
    accountId: where.accountId ?? "default",
    senderId,
    conversation,
    messageId,
    ...(event.providerUpdate === undefined ? {} : { providerUpdateId: event.providerUpdate.id }),
    text: event.content,
    ...(replyTo === undefined ? {} : { replyToMessageId: replyTo }),
    at: (event.timestamp === undefined ? now : new Date(event.timestamp)).toISOString(),
  };
}

export function recordInbound(event: Received, where: Where, outbox: Outbox): Promise<void> | undefined {
  const inbound = inboundOf(event, where);
  return inbound === undefined ? undefined : outbox.send("/v1/evidence/inbound", inbound);
}

/** The text that leaves: what the agent said, and below it what the control plane asks here. */
export async function withQuestions(
  content: string,
  conversation: string,
  plane: ControlPlane,
  pending: Shared["pending"],
  now: number = Date.now(),
): Promise<string | undefined> {
  const path = `/v1/questions?conversation=${encodeURIComponent(conversation)}`;
  const answer = (await plane.get(path, { caller: PLUGIN_ITSELF, timeoutMs: ASK_WITHIN_MS })) as {
    questions?: Question[];
  };
  for (const [key, old] of pending) if (now - old.since > CONFIRM_WITHIN_MS) pending.delete(key);
  const open = (answer.questions ?? []).filter(({ approval }) => !pending.has(pendingKey(conversation, approval)));
  if (open.length === 0) return undefined;
  for (const { approval, question } of open) {
    pending.set(pendingKey(conversation, approval), { approval, question, conversation, since: now });
  }
  return [content, ...open.map(({ question }) => question)].filter((part) => part !== "").join("\n\n");
}

export interface Sent {
  content: string;
  success: boolean;
  messageId?: string;
}

/** Tells the control plane which of its questions this message carried, whole, and whether it left. */
export function confirmShown(sent: Sent, conversation: string, pending: Shared["pending"], outbox: Outbox): void {
  for (const [key, waiting] of pending) {
    if (waiting.conversation !== conversation || !carries(sent.content, waiting)) continue;
    pending.delete(key);
    void outbox.send("/v1/evidence/shown", {
      approval: waiting.approval,
      conversation,
      ...(sent.messageId === undefined ? {} : { messageId: sent.messageId }),
      success: sent.success,
    });
  }
}

/** Channels re-wrap white space, so only the words are compared. */
function carries(content: string, waiting: PendingQuestion): boolean {
  const words = (text: string): string => text.split(/\s+/).join(" ").trim();
  return words(content).includes(words(waiting.question));
}

const pendingKey = (conversation: string, approval: string): string => `${conversation}\n${approval}`;
