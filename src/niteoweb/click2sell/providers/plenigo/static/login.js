/* plenigo's login in a page of this site. The session that it tells goes to this site in a form, never in an address. */
(function () {
  "use strict";
  var place = document.querySelector("[data-plenigo='login']");
  if (!place) {
    return;
  }
  var form = document.getElementById("plenigo-session");
  var message = document.getElementById("plenigo-message");
  var ways = document.getElementById("plenigo-ways");
  var sent = false;
  var fail = function () {
    message.hidden = false;
  };
  var open = function (way) {
    var options = { elementId: place.id, source: place.getAttribute("data-source") };
    place.textContent = "";
    message.hidden = true;
    new window.plenigo.SSO(options)[way]();
  };
  document.addEventListener("plenigo.LoginSuccess", function (e) {
    var session = e.detail && e.detail.customerSession;
    if (typeof session !== "string" || !session) {
      fail();
    } else if (!sent) {
      sent = true;
      form.elements.customerSession.value = session;
      form.submit();
    }
  });
  document.addEventListener("plenigo.Error", fail);
  ways.addEventListener("click", function (e) {
    var way = e.target.getAttribute("data-way");
    if (way) {
      open(way);
    }
  });
  var waited = 0;
  var start = function () {
    if (window.plenigo && window.plenigo.SSO) {
      ways.hidden = false;
      open("login");
    } else if (waited < 15000) {
      waited += 100;
      window.setTimeout(start, 100);
    } else {
      fail();
    }
  };
  start();
})();
