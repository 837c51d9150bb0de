/* The quote editor: after each live answer the forms carry the new version, rows wear their new
   edge, wrong fields are marked, and a pressed proposal stands in its input. */
(function () {
  "use strict";
  const all = (selector, act) => document.querySelectorAll(selector).forEach(act);
  function settle() {
    const version = document.querySelector("#version")?.value;
    if (version) all("form input[name=version]", (input) => { input.value = version; });
    all("[data-row-status]", (cell) => {
      const row = cell.closest("tr");
      if (cell.dataset.rowStatus) row.dataset.status = cell.dataset.rowStatus;
      else delete row.dataset.status;
    });
    all("#lines .error[id]", (sentence) => {
      const input = document.querySelector(`[aria-describedby="${sentence.id}"]`);
      if (sentence.textContent.trim()) input?.setAttribute("aria-invalid", "true");
      else input?.removeAttribute("aria-invalid");
    });
  }
  document.addEventListener("htmx:afterRequest", () => setTimeout(settle, 40));
  document.addEventListener("htmx:oobAfterSwap", settle);
  document.addEventListener("click", (event) => {
    const proposal = event.target.closest("[data-fill]");
    if (proposal) document.getElementById(proposal.dataset.fill).value = proposal.dataset.value;
  });
})();
