// Messages that were written without a network go out as soon as there is one, whether or not their chat is open.

/** Send what waits in `store`, besides the chat `openId`, whose socket sends its own. Gives how many have gone. */
export async function sendUnsent(store, api, openId) {
  let sent = 0;
  for (const { orderId, entries } of store.unsent().filter((chat) => chat.orderId !== openId)) {
    for (const entry of entries) {
      try {
        await api.say(orderId, entry);
        sent += 1;
      } catch (error) {
        // What can never arrive is not tried for ever; all else waits for the next time.
        if (error.status !== 400 && error.status !== 404) return sent;
      }
      store.settle(orderId, entry.client_id);
    }
  }
  return sent;
}
