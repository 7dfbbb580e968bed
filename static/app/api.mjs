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

/** `send` is fetch, or what stands in for it; `token()` gives the token of now, or null. */
export function createApi(send, token) {
  async function ask(path, { method = "GET", body, headers = {} } = {}) {
    const given = { Accept: "application/json", ...headers };
    if (token()) given.Authorization = `Token ${token()}`;
    if (body) given["Content-Type"] = "application/json";
    let answer;
    try {
      answer = await send(`/mobile-api/${path}`, { method, headers: given, body: body && JSON.stringify(body) });
    } catch {
      throw new Unreachable("You are offline.");
    }
    if (!answer.ok && answer.status !== 304) throw new Refused(answer.status, await jsonOf(answer));
    return answer;
  }

  return {
    async logIn(username, password) {
      return (await (await ask("auth/", { method: "POST", body: { username, password } })).json()).token;
    },
    async whoAmI() {
      return (await ask("auth/")).json();
    },
    async logOut() {
      await ask("auth/", { method: "DELETE" });
    },
    /** At most 50 orders, newest first; `before` is the last id of those that are known. */
    async orders(before) {
      return (await ask(`my-orders/?with=stage${before ? `&before=${before}` : ""}`)).json();
    },
    async tracker(orderId) {
      return (await ask(`my-orders/${orderId}/tracker/`)).text();
    },
    async say(orderId, entry) {
      return (await ask(`my-orders/${orderId}/messages/`, { method: "POST", body: entry })).json();
    },
  };
}

async function jsonOf(answer) {
  try {
    return await answer.json();
  } catch {
    return {};
  }
}
