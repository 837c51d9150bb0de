/* What every page does in the browser. No text lives here: sentences come from this script's own
   data-said-* attributes, rendered in the reader's language. */
(function () {
  "use strict";
  const said = document.currentScript.dataset;
  const each = (selector, act, root) => (root || document).querySelectorAll(selector).forEach(act);

  /* -- toasts ------------------------------------------------------------------------------- */
  const TOAST_MS = 7000;
  function arm(toast) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", said.saidClose);
    button.textContent = "×";
    button.addEventListener("click", () => toast.remove());
    toast.append(button);
    if (toast.dataset.status !== "late") setTimeout(() => toast.remove(), TOAST_MS);
  }
  function toast(text, status) {
    const box = document.getElementById("toasts");
    if (!box) return;
    const element = document.createElement("div");
    element.className = "toast";
    element.dataset.status = status;
    if (status === "late") element.setAttribute("role", "alert");
    const glyph = document.createElement("span");
    glyph.className = "glyph";
    element.append(glyph, text);
    arm(element);
    box.append(element);
  }

  /* -- keyboard and menus --------------------------------------------------------------------- */
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("input, textarea, select, [contenteditable]")) {
      const search = document.querySelector("[data-search]");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    }
    if (event.key === "Escape") {
      each("details.menu[open]", (menu) => { menu.open = false; menu.querySelector("summary").focus(); });
      each(".suggestions", (box) => box.replaceChildren());
    }
  });
  document.addEventListener("click", (event) => {
    each("details.menu[open]", (menu) => { if (!menu.contains(event.target)) menu.open = false; });
    if (!event.target.closest(".omni")) each(".suggestions", (box) => box.replaceChildren());

    const opener = event.target.closest("[data-open]");
    if (opener) document.getElementById(opener.dataset.open)?.showModal();
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
    if (event.target instanceof HTMLDialogElement) event.target.close(); /* a click on the veil */
    if (event.target.closest("[data-print]")) window.print();
  });

  /* -- forms: once, and visibly ---------------------------------------------------------------- */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (form.method === "dialog" || form.hasAttribute("hx-post")) return;
    if (form.hasAttribute("data-theme-form")) {
      const theme = event.submitter?.value;
      const root = document.documentElement;
      root.toggleAttribute("data-theme-auto", theme === "auto");
      root.dataset.theme = theme === "auto" ? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light") : theme;
    }
    form.dataset.sent = "yes";
    event.submitter?.setAttribute("aria-busy", "true");
    each("button:not([type=button])", (button) => { if (button !== event.submitter) button.disabled = true; }, form);
  });
  addEventListener("pageshow", () => {
    each("form[data-sent]", (form) => {
      delete form.dataset.sent;
      each("button", (button) => { button.disabled = false; button.removeAttribute("aria-busy"); }, form);
    });
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("form[data-autosubmit] :is(select, [type=checkbox])")) event.target.form.requestSubmit();
    if (event.target.matches("input[type=file]")) {
      const names = [...event.target.files].map((file) => file.name).join(", ");
      const target = event.target.closest(".field, label")?.querySelector("[data-file-names]");
      if (target) target.textContent = names;
    }
  });

  /* -- htmx: token, session end, errors ---------------------------------------------------------- */
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = document.querySelector("meta[name=csrf-token]").content;
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.getResponseHeader("X-Form") === "again") { event.detail.shouldSwap = true; event.detail.isError = false; }
  });
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr, target } = event.detail;
    if (xhr.getResponseHeader("HX-Redirect")) { toast(said.saidGone, "late"); return; }
    const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
    const state = page.querySelector(".state");
    const home = target?.closest("[data-error-here]");
    if (state && home) { home.replaceChildren(document.adoptNode(state)); return; }
    toast(state?.querySelector("p")?.textContent || said.saidFailed, "late");
  });
  document.addEventListener("htmx:sendError", () => toast(said.saidFailed, "late"));

  /* -- live pages: ask every 2 s while visible, fetch only what changed ---------------------------- */
  const EVERY_MS = 2000, SLOWEST_MS = 30000;
  async function refresh(parts) {
    const pages = new Map();
    for (const part of parts) {
      const url = part.dataset.liveFragment || location.href;
      if (!pages.has(url)) pages.set(url, fetch(url, { headers: { "X-Live": "1" }, cache: "no-store" }).then((r) => r.ok ? r.text() : ""));
    }
    for (const [url, coming] of pages) {
      const text = await coming;
      if (!text) continue;
      const page = new DOMParser().parseFromString(text, "text/html");
      for (const part of parts) {
        if ((part.dataset.liveFragment || location.href) !== url) continue;
        const fresh = page.getElementById(part.id);
        if (fresh?.outerHTML === part.outerHTML || part.querySelector("input:focus, textarea:focus, select:focus, dialog[open]")) continue;
        if (!fresh) {
          if (page.querySelector("[data-live]")) part.remove();
          continue;
        }
        part.replaceWith(document.adoptNode(fresh));
        settle(fresh);
      }
      if (url === location.href) for (const fresh of page.querySelectorAll("[data-live-part][id]")) appear(fresh);
    }
  }
  function settle(fresh) {
    window.htmx?.process(fresh);
    fresh.dispatchEvent(new CustomEvent("live:fresh", { bubbles: true }));
  }
  /* A panel whose data did not exist when the page was opened: it comes beside the neighbours it has
     in the fresh page, or into the same kind of column. */
  function appear(fresh) {
    if (document.getElementById(fresh.id)) return;
    for (const [way, place] of [["previousElementSibling", "after"], ["nextElementSibling", "before"]]) {
      for (let near = fresh[way]; near; near = near[way]) {
        const here = near.id && document.getElementById(near.id);
        if (here) { here[place](document.adoptNode(fresh)); settle(fresh); return; }
      }
    }
    const path = [];
    for (let up = fresh.parentElement; up && up.id !== "main"; up = up.parentElement) path.unshift([up.tagName, ...up.classList].join("."));
    const column = document.querySelector(["#main", ...path].join(" > "));
    if (column) { column.prepend(document.adoptNode(fresh)); settle(fresh); }
  }
  function watch(root) {
    let version = root.dataset.liveVersion, wait = EVERY_MS, timer;
    const again = () => { clearTimeout(timer); timer = setTimeout(look, wait); };
    async function look() {
      if (document.hidden) return;
      try {
        const headers = version === undefined ? {} : { "If-None-Match": `"${version}"` };
        const answer = await fetch(root.dataset.live, { headers, cache: "no-store", redirect: "error" });
        wait = EVERY_MS;
        if (answer.status === 200) {
          const now = await answer.text();
          if (version !== undefined && now !== version) await refresh([...document.querySelectorAll("[data-live-part][id]")]);
          version = now;
        } else if (answer.status !== 304) wait = SLOWEST_MS;
      } catch {
        wait = Math.min(SLOWEST_MS, wait * 2);
      }
      again();
    }
    document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
    again();
  }

  /* -- start ---------------------------------------------------------------------------------------- */
  document.addEventListener("DOMContentLoaded", () => {
    each("#toasts > .toast", arm);
    each("[data-live]", watch);
    document.querySelector("[aria-invalid=true]")?.focus();
    if (window.TomSelect) each("select[data-choose], input[data-choose]", (element) => new TomSelect(element, { maxOptions: 200 }));
  });
})();
