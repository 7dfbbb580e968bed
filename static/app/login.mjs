/** The log-in form. `enter(token)` goes on once there is a token. Returns { show(notice) }. */
export function mountLogin(root, api, enter) {
  const form = root.querySelector("form");
  const email = root.querySelector("#login-email");
  const password = root.querySelector("#login-password");
  const button = form.querySelector("button");
  const name = button.textContent;
  const trouble = root.querySelector("#login-error");

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    trouble.textContent = "";
    if (!email.value.trim() || !password.value) {
      trouble.textContent = "Write your e-mail address and your password.";
      (email.value.trim() ? password : email).focus();
      return;
    }
    button.disabled = true;
    button.textContent = "Logging in…";
    try {
      const token = await api.logIn(email.value.trim(), password.value);
      form.reset();
      await enter(token);
    } catch (error) {
      trouble.textContent = error.message || "That did not work. Try again in a moment.";
      password.focus();
    } finally {
      button.disabled = false;
      button.textContent = name;
    }
  });

  return {
    show(notice = "") {
      trouble.textContent = notice;
    },
  };
}
