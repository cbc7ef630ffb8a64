/* plenigo's self-service in a page of this site. The token for it is fetched when plenigo's script is there: it is good for half a minute. */
(function () {
  "use strict";
  var place = document.querySelector("[data-plenigo='account']");
  if (!place) {
    return;
  }
  var message = document.getElementById("plenigo-message");
  var reason = document.getElementById("plenigo-reason");
  var data = function (name) {
    return place.getAttribute("data-" + name) || "";
  };
  var fail = function (text) {
    reason.textContent = typeof text === "string" ? text : "";
    message.hidden = false;
  };
  var show = function (token) {
    var options = { elementId: place.id };
    if (!data("sso")) {
      options.displaySettings = { SSO: { personalDetails: "VIEW", twoFactor: "HIDE" } };
    }
    if (data("subscription")) {
      options.subscriptionId = data("subscription");
    }
    var snippets = new window.plenigo.Snippets(token, options);
    var constants = (window.plenigo.CONSTS || {}).SNIPPETS || {};
    var page = constants[data("page")];
    if (page) {
      snippets.open(page);
    } else {
      snippets.start();
    }
  };
  var fetchToken = function () {
    window
      .fetch(data("token-url"), {
        method: "POST",
        credentials: "same-origin",
        headers: { Accept: "application/json", "Content-Type": "application/json" },
        body: "{}"
      })
      .then(function (response) {
        return response.json();
      })
      .then(function (answer) {
        if (answer.transferToken) {
          show(answer.transferToken);
        } else {
          fail(answer.message);
        }
      })
      .catch(fail);
  };
  document.addEventListener("plenigo.Error", fail);
  var waited = 0;
  var start = function () {
    if (window.plenigo && window.plenigo.Snippets) {
      fetchToken();
    } else if (waited < 15000) {
      waited += 100;
      window.setTimeout(start, 100);
    } else {
      fail("");
    }
  };
  start();
})();
