// The mobile endpoints (docs/mobile-api.md), and nothing else of the site.

/** The server said no: `status`, what it says in `message`, and all of it in `body`. */
export class Refused extends Error {
  constructor(status, body) {
    super(body?.detail ?? Object.values(body ?? {}).flat().join(" ") ?? "");
    this.status = status;
    this.body = body;
  }
}

/** The server was not reached at all. */
export class Unreachable extends Error {}

/** The answer came when whoever had asked was logged out already: it is nobody's. */
export class Outdated extends Error {}

/** `send` is fetch, or what stands in for it; `token()` gives the token of now, or null. */
export function createApi(send, token) {
  async function ask(path, { method = "GET", body, read = "json" } = {}) {
    const given = { Accept: "application/json" };
    const asker = token();
    if (asker) given.Authorization = `Token ${asker}`;
    if (body) given["Content-Type"] = "application/json";
    let answer;
    try {
      answer = await send(`/mobile-api/${path}`, { method, headers: given, body: body && JSON.stringify(body) });
    } catch {
      throw new Unreachable("You are offline.");
    }
    const refused = !answer.ok && answer.status !== 304;
    const said = await (refused ? jsonOf(answer) : answer[read]());
    if (asker && asker !== token()) throw new Outdated();
    if (refused) throw new Refused(answer.status, said);
    return said;
  }

  return {
    async logIn(username, password) {
      return (await ask("auth/", { method: "POST", body: { username, password } })).token;
    },
    whoAmI: () => ask("auth/"),
    async logOut() {
      await ask("auth/", { method: "DELETE", read: "text" });
    },
    /** At most 50 orders, newest first; `before` is the last id of those that are known. */
    orders: (before) => ask(`my-orders/?with=stage${before ? `&before=${before}` : ""}`),
    tracker: (orderId) => ask(`my-orders/${orderId}/tracker/`, { read: "text" }),
    say: (orderId, entry) => ask(`my-orders/${orderId}/messages/`, { method: "POST", body: entry }),
  };
}

async function jsonOf(answer) {
  try {
    return await answer.json();
  } catch {
    return {};
  }
}
