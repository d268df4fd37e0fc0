import { request as requestHttp, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import process from "node:process";
import type { OpenStream, Platform } from "./platform.js";
import { fileStore } from "./file-store.node.js";
import { parseRetryAfter } from "./headers.js";
import { VERSION } from "./version.js";

/**
 * Node's fetch keeps the program alive while a stream is open and offers no way to change
 * that, so the stream goes through node:http, whose socket can be left out of the count.
 */
const openStream: OpenStream = (url, headers, signal) =>
  new Promise((resolve, reject) => {
    const send = url.startsWith("https:") ? requestHttps : requestHttp;
    // agent: false gives the stream a connection of its own, which ends with it.
    const request = send(url, { headers: { ...headers }, signal, agent: false }, (answer: IncomingMessage) => {
      resolve({
        status: answer.statusCode ?? 0,
        contentType: answer.headers["content-type"] ?? "",
        retryAfter: parseRetryAfter(answer.headers["retry-after"]),
        chunks: answer,
      });
    });
    request.on("socket", (socket) => socket.unref());
    request.on("error", reject);
    request.end();
  });

export const nodePlatform: Platform = {
  env: (name) => process.env[name],
  userAgent: `xr2-typescript/${VERSION}`,
  openStream,
  fileStore,
  onEnd: (callback) => void process.once("beforeExit", () => void callback()),
};
