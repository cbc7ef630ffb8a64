"""Layers of the tests: a site that sells, made once; each test has a database on top of it."""

from Acquisition import aq_base
from datetime import datetime
from datetime import timezone
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.browser import publication
from niteoweb.click2sell.testing.layers import FIXTURE
from niteoweb.click2sell.tests.cases import clock
from niteoweb.click2sell.tests.cases import deliveries
from plone import api
from plone.app.testing import FunctionalTesting
from plone.app.testing import PloneSandboxLayer
from plone.portlets.interfaces import IPortletAssignment
from plone.restapi.services.controlpanels.update import ControlpanelsUpdate
from plone.testing import Layer
from plone.testing.zope import WSGI_SERVER_FIXTURE
from zope.component import adapter
from zope.component import provideHandler
from ZPublisher.interfaces import IPubBeforeCommit

import transaction


#: Some hours after the sale of deliveries.py.
NOW = datetime(2026, 5, 3, 18, tzinfo=timezone.utc)


@adapter(IPubBeforeCommit)
def leave_nothing_to_the_publisher(event):
    """Fail where a page or service of ours has not handed its changes to the writer.

    The publisher would answer 500 for a full disk, and wait for seconds after a conflict.
    """
    request = event.request
    published = request["PUBLISHED"]
    view = type(aq_base(getattr(published, "__self__", published)))
    ours = any(class_.__module__.startswith(publication.PACKAGE) for class_ in view.__mro__)
    # Plone names the portlets of a new site when they are shown for the first time.
    changed = [
        changed
        for changed in request["PARENTS"][-1]._p_jar._registered_objects
        if not IPortletAssignment.providedBy(changed)
    ]
    if changed and (ours or view is ControlpanelsUpdate):
        raise AssertionError(f"{view.__name__} leaves {changed} to the publisher")


class ShopLayer(PloneSandboxLayer):
    """The groups "premium" and "course" for the products 1 and 2, and no mail to members."""

    defaultBases = (FIXTURE,)

    def setUpZope(self, app, configurationContext):
        """Watch what requests change."""
        provideHandler(leave_nothing_to_the_publisher)

    def setUpPloneSite(self, portal):
        """Create the groups and save the settings; the clock stands still from here on."""
        # The first start looks through all modules; the clock of a test begins inside this one.
        self._clock = clock.frozen(NOW)
        self._clock.start()
        with api.env.adopt_roles(["Manager"]):
            for group_id in ("premium", "course"):
                api.group.create(group_id)
        settings = plone_site.settings()
        settings.secretkey = deliveries.SECRET_KEY
        settings.mapping = ["1|premium", "2|course"]
        settings.welcome_mail = "none"
        settings.notice_mail = False
        transaction.commit()

    def tearDownPloneSite(self, portal):
        """Let the clock go on."""
        self._clock.stop()


#: For tests that start processes: they need no site, and `bin/test -u` leaves them out.
PROCESS = Layer(name="niteoweb.click2sell:Process")
SHOP_FIXTURE = ShopLayer()
SHOP = FunctionalTesting(bases=(SHOP_FIXTURE,), name="niteoweb.click2sell:Shop")
#: Real HTTP, too.
SHOP_HTTP = FunctionalTesting(
    bases=(SHOP_FIXTURE, WSGI_SERVER_FIXTURE), name="niteoweb.click2sell:ShopHTTP"
)
