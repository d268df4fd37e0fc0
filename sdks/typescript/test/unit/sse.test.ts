import assert from "node:assert/strict";
import { test } from "node:test";
import { SseDecoder, type ServerSentEvent } from "../../src/sse.js";

function decode(bytes: Uint8Array, size: number): ServerSentEvent[] {
  const decoder = new SseDecoder();
  const events: ServerSentEvent[] = [];
  for (let at = 0; at < bytes.length; at += size) events.push(...decoder.push(bytes.subarray(at, at + size)));
  return events;
}

const STREAM =
  "\uFEFF: a comment\r\n" +
  'event: hello\rdata: {"revision":1}\r\r' +
  "\n\n\n" +
  ": ping\n\n" +
  'event: changed\nid: 7\ndata: {"slug":\ndata: "grüße-🎈"}\n\n' +
  "retry: 1500\r\nid\r\ndata:no space\r\nunknown: x\r\n\r\n" +
  "event: without data\n\n" +
  "data\n\n" +
  "data: never ended";

const EXPECTED = [
  { event: undefined, data: " a comment", id: undefined, retry: undefined },
  { event: "hello", data: '{"revision":1}', id: undefined, retry: undefined },
  { event: undefined, data: " ping", id: undefined, retry: undefined },
  { event: "changed", data: '{"slug":\n"grüße-🎈"}', id: "7", retry: undefined },
  { event: "message", data: "no space", id: "", retry: 1500 },
  { event: "message", data: "", id: "", retry: 1500 },
];

test("events are the same however the bytes are cut", () => {
  const bytes = new TextEncoder().encode(STREAM);
  for (let size = 1; size <= bytes.length; size += 1) {
    assert.deepEqual(decode(bytes, size), EXPECTED, `cut every ${size} bytes`);
  }
});

for (const [name, end] of [
  ["LF", "\n"],
  ["CR", "\r"],
  ["CRLF", "\r\n"],
] as const) {
  test(`lines may end with ${name}`, () => {
    const bytes = new TextEncoder().encode(["event: a", "data: 1", "", "data: 2", "", ": x", ""].join(end) + end);
    for (let size = 1; size <= bytes.length; size += 1) {
      assert.deepEqual(
        decode(bytes, size).map(({ event, data }) => [event, data]),
        [
          ["a", "1"],
          ["message", "2"],
          [undefined, " x"],
        ],
      );
    }
  });
}

test("an id with a NUL and a retry that is no number are ignored", () => {
  const [event] = decode(new TextEncoder().encode("id: a\0b\nretry: soon\ndata: x\n\n"), 100);
  assert.deepEqual(event, { event: "message", data: "x", id: undefined, retry: undefined });
});

for (const [name, bytes] of [
  ["a line", new Uint8Array(1 << 20).fill(97)],
  ["an event", new TextEncoder().encode("data: 0123456789\n".repeat(1 << 16))],
] as const) {
  test(`${name} without end is refused rather than kept in memory`, () => {
    const decoder = new SseDecoder();
    assert.throws(() => {
      for (let i = 0; i < 40; i += 1) decoder.push(bytes);
    }, /without end/);
  });
}
