/* plenigo's checkout in a page of this site. Nothing in here gives access: it leads to a page that asks plenigo. */
(function () {
  "use strict";
  var place = document.querySelector("[data-plenigo]");
  if (!place) {
    return;
  }
  var message = document.getElementById("plenigo-message");
  var data = function (name) {
    return place.getAttribute("data-" + name) || "";
  };
  var show = function () {
    if (message) {
      message.hidden = false;
    }
  };
  var leave = function (url) {
    window.location.replace(url);
  };
  document.addEventListener("plenigo.PurchaseSuccess", function (e) {
    var order = parseInt(e.detail && e.detail.orderId, 10);
    leave(isNaN(order) ? data("failed-url") : data("done-url") + "?order=" + order);
  });
  document.addEventListener("plenigo.PurchaseFailed", function () {
    leave(data("failed-url"));
  });
  document.addEventListener("plenigo.Error", show);
  document.addEventListener("plenigo.WebAnalyticsLoad", function (e) {
    document.dispatchEvent(new CustomEvent("click2sell:analytics", { detail: e.detail }));
  });
  var waited = 0;
  var start = function () {
    if (window.plenigo && window.plenigo.Checkout) {
      new window.plenigo.Checkout(data("purchase-id"), {
        elementId: place.id,
        returnUrl: data("return-url"),
        restartUrl: data("return-url"),
        title: document.title
      }).start();
    } else if (waited < 15000) {
      waited += 100;
      window.setTimeout(start, 100);
    } else {
      show();
    }
  };
  start();
})();
