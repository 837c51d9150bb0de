/* Runs before the first paint: "as the device" becomes light or dark. */
(function () {
  const root = document.documentElement;
  if (!root.hasAttribute("data-theme-auto")) return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => { if (root.hasAttribute("data-theme-auto")) root.dataset.theme = dark.matches ? "dark" : "light"; };
  follow();
  dark.addEventListener("change", follow);
})();
