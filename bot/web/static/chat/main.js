/** The resident's chat page: starts when the page is there. */

import { Api } from "./api.js";
import { Conversation } from "./conversation.js";
import { Store } from "./store.js";
import { View } from "./view.js";

const store = new Store();
const view = new View(document);
new Conversation(new Api(), store, view).start();
