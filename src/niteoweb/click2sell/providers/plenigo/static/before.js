/* Settings of plenigo's script, before it is loaded. */
(function () {
  "use strict";
  var place = document.querySelector("[data-plenigo]");
  var base = place && place.getAttribute("data-base-checkout-uri");
  window.plenigo = window.plenigo || {};
  if (base) {
    window.plenigo.baseCheckoutURI = base;
  }
})();
