import { nodePlatform } from "./platform.node.js";
import { setPlatform } from "./platform.js";

setPlatform(nodePlatform);

export * from "./index.js";
