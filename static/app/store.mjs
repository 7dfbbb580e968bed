// What the app keeps on the phone. Everything but unsent messages and drafts, which are chat.js's own, has this prefix.

const PREFIX = "booktime-app-";
const CHATS = /^chat-(\d+)-/;
const LONGEST_HISTORY = 100;

/** `storage` is a Storage such as localStorage; a full one, or one that forbids writing, only forgets sooner. */
export function createStore(storage) {
  const keys = () => Array.from({ length: storage.length }, (_, index) => storage.key(index));

  function get(name) {
    try {
      return JSON.parse(storage.getItem(PREFIX + name));
    } catch {
      return null;
    }
  }

  function set(name, value) {
    try {
      storage.setItem(PREFIX + name, JSON.stringify(value));
    } catch {
      // The list comes again from the server; what must not be lost is written by the chat itself.
    }
  }

  const history = (orderId) => get(`history-${orderId}`) ?? [];

  return {
    get,
    set,
    history,

    /** Keep messages that were shown, oldest first; the newest ones stay. */
    remember(orderId, ...messages) {
      const known = history(orderId);
      const news = messages.filter((message) => !known.some((other) => other.id >= message.id));
      if (news.length) set(`history-${orderId}`, [...known, ...news].slice(-LONGEST_HISTORY));
    },

    /** Whether more may have been said before what is kept. */
    isCut: (orderId) => history(orderId).length === LONGEST_HISTORY,

    /** Unsent messages of every chat: [{ orderId, entries: [{ client_id, message }] }]. */
    unsent() {
      return keys()
        .filter((key) => CHATS.test(key))
        .map((key) => ({ orderId: Number(key.match(CHATS)[1]), entries: JSON.parse(storage.getItem(key)).pending ?? [] }))
        .filter((chat) => chat.entries.length);
    },

    /** Take an unsent message off: it has arrived, or never will. */
    settle(orderId, clientId) {
      for (const key of keys().filter((name) => name.match(CHATS)?.[1] === String(orderId))) {
        const chat = JSON.parse(storage.getItem(key));
        chat.pending = (chat.pending ?? []).filter((entry) => entry.client_id !== clientId);
        storage.setItem(key, JSON.stringify(chat));
      }
    },

    /** Nothing of this person stays: token, orders, chats, drafts, unsent messages. */
    forget() {
      for (const key of keys()) {
        if (key.startsWith(PREFIX) || CHATS.test(key)) storage.removeItem(key);
      }
    },
  };
}
