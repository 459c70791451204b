(** * The spread of the loads from one step to the next, from both sides

    [G] workers with [B] slots each, all of them occupied; some requests depart, whichever they
    are, and every free slot is filled with a size in [a, b].  With [V] the largest load less the
    smallest and [N = max X + max Y] what the departures deviate from a share [p] of all load, no
    admission of any policy leaves less than [N - B p (b - a) - (1 - p) V]; and from a rich pool an
    optimal one leaves at most [((1 - p) V + N - B p (b - a))^+].  So between them the average of
    [N - B p (b - a)] decides, whatever the common growth.

    Claims: [geometric.recursion], [threshold.converse]. *)

From Coq Require Import Reals Lra ZArith List Lia Permutation.
From evenkeel Require Import Loads Step Waterfill Departures Recursion.
Import ListNotations.
Open Scope R_scope.

Definition spread (loads : list Z) : Z := (largest loads - smallest loads)%Z.

(** [V] of a state. *)
Definition V (workers : state) : R := IZR (spread (map held workers)).

(** [N - B p (b - a)], with [N = max_g X_g + max_h Y_h], [X] at [b] and [Y] at [a]. *)
Definition excess (B : nat) (p : R) (a b : Z) (workers : state) : R :=
  maximum (map (X p b) workers) + maximum (map (Y p a) workers) - INR B * p * IZR (b - a).

(** Any admission that fills every free slot with sizes of [a, b]. *)
Definition filling (a b : Z) (s : step) (groups : list (list Z)) : Prop :=
  Forall (fun size => (a <= size <= b)%Z) (pool s) /\
  (list_sum (free s) <= length (pool s))%nat /\ admits s groups.

(** An optimal admission from a rich pool. *)
Definition optimal_from_rich (a b : Z) (s : step) (groups : list (list Z)) : Prop :=
  (a <= b)%Z /\ rich_pool s a b /\ optimal s groups.

(** ** Every policy, from below *)

Lemma load_below_spread : forall workers g h, In g workers -> In h workers ->
  IZR (held g) - IZR (held h) <= V workers.
Proof.
  intros workers g h I J. unfold V, spread. rewrite <- minus_IZR. apply IZR_le.
  apply (in_map held) in I. apply (in_map held) in J.
  apply largest_above in I. apply smallest_below in J. lia.
Qed.

Lemma spread_from_below : forall G B p a b workers pool groups,
  (1 <= G)%nat -> full G B workers -> p <= 1 ->
  filling a b (refill workers pool) groups ->
  excess B p a b workers - (1 - p) * V workers <= IZR (spread (after (refill workers pool) groups)).
Proof.
  intros G B p a b workers pool groups g L P (S & E & A).
  pose proof (filled_between _ a b groups (refill_well_formed G B workers pool g L) S E A) as F.
  simpl loads in F. simpl free in F. rewrite combine_maps in F.
  set (loads' := after _ _) in *. destruct L as [L LB]. rewrite Forall_forall in LB.
  assert (N : workers <> []) by (intros ->; simpl in L; lia).
  assert (I : In (maximum (map (X p b) workers)) (map (X p b) workers)).
  { apply maximum_in. intros Z. now apply map_eq_nil in Z. }
  assert (J : In (maximum (map (Y p a) workers)) (map (Y p a) workers)).
  { apply maximum_in. intros Z. now apply map_eq_nil in Z. }
  apply in_map_iff in I. destruct I as (u & HX & I).
  apply in_map_iff in J. destruct J as (w & HY & J).
  unfold excess. rewrite <- HX, <- HY.
  destruct (Forall2_In_left _ _ _ _ _ _ F (in_map _ _ _ I)) as (low & I' & [_ K1]).
  destruct (Forall2_In_left _ _ _ _ _ _ F (in_map _ _ _ J)) as (high & J' & [K2 _]).
  simpl in K1, K2. apply smallest_below in I'. apply largest_above in J'.
  assert (Q : (sum (kept w) + Z.of_nat (gone w) * a - (sum (kept u) + Z.of_nat (gone u) * b)
    <= spread loads')%Z) by (unfold spread; lia).
  apply IZR_le in Q. rewrite minus_IZR, !(refilled p), (LB u I), (LB w J) in Q.
  rewrite Y_is_minus_X, minus_IZR. pose proof (load_below_spread workers u w I J) as R.
  assert (T : (1 - p) * (IZR (held u) - IZR (held w)) <= (1 - p) * V workers).
  { apply Rmult_le_compat_l; lra. }
  lra.
Qed.

(** ** Optimal admissions from a rich pool, from above *)

Lemma equal_terms : forall A (f : A -> Z) (g : Z -> Z) xs ys,
  Forall2 (fun x y => f x <= g y)%Z xs ys -> (sum (map g ys) <= sum (map f xs))%Z ->
  Forall2 (fun x y => f x = g y) xs ys.
Proof.
  induction 1 as [|x y xs ys H F IH]; intros E; constructor; simpl in E;
    pose proof (sum_Forall2 _ _ _ _ _ F); [lia|]. apply IH. lia.
Qed.

Lemma Forall2_In_right : forall A B (R : A -> B -> Prop) xs ys y,
  Forall2 R xs ys -> In y ys -> exists x, In x xs /\ R x y.
Proof.
  induction 1; simpl; [tauto|]. intros [<-|I]; [eauto|]. destruct (IHForall2 I) as (z & J & K).
  eauto.
Qed.

(** Every optimal admission has the same gaps below its largest load. *)
Lemma optimal_gaps : forall s a b groups, well_formed s -> optimal_from_rich a b s groups ->
  Forall2 (fun worker load =>
    Z.max 0 (level (loads s) (free s) a - fst worker - Z.of_nat (snd worker) * b)
    = largest (after s groups) - load)%Z (combine (loads s) (free s)) (after s groups).
Proof.
  intros s a b groups W (ab & R & [A O]). apply equal_terms.
  - pose proof (level_is_forced s a b groups W ab R A) as L.
    pose proof (loads_between s a b groups W ab R A) as F.
    assert (T : Forall (fun load => load <= largest (after s groups))%Z (after s groups)).
    { apply Forall_forall. exact (largest_above _). }
    revert L T. generalize (largest (after s groups)) as M. intros M L T.
    induction F as [|w load ws ls K F IH]; inversion T; subst; constructor; auto. lia.
  - rewrite <- imbalance_is_the_sum_of_gaps.
    destruct (waterfill_is_reached s a b W ab R) as (others & D & _ & C).
    pose proof (O others D) as H. rewrite C in H. exact H.
Qed.

Lemma spread_from_above : forall G B p a b workers pool groups,
  (1 <= G)%nat -> full G B workers -> p <= 1 ->
  optimal_from_rich a b (refill workers pool) groups ->
  IZR (spread (after (refill workers pool) groups))
  <= Rmax 0 ((1 - p) * V workers + excess B p a b workers).
Proof.
  intros G B p a b workers pool groups g L P O.
  assert (W := refill_well_formed G B workers pool g L).
  pose proof (optimal_gaps _ a b groups W O) as F. destruct O as (ab & R & [A O]).
  assert (N := after_nonempty _ _ W A).
  destruct (Forall2_In_right _ _ _ _ _ _ F (smallest_in _ N)) as (c & I & K).
  unfold spread. rewrite <- K. clear F K O N. simpl loads in *. simpl free in *.
  set (T := level _ _ a). destruct L as [L LB]. rewrite Forall_forall in LB.
  assert (NW : workers <> []) by (intros ->; simpl in L; lia).
  rewrite combine_maps in I. apply in_map_iff in I. destruct I as (u & <- & I). simpl.
  assert (H : exists h, In h workers /\ T = (sum (kept h) + Z.of_nat (gone h) * a)%Z).
  { assert (J : In T (map (fun jobs => sum (kept jobs) + Z.of_nat (gone jobs) * a)%Z workers)).
    { unfold T, level. rewrite combine_maps, map_map. simpl. apply largest_in.
      intros Z. now apply map_eq_nil in Z. }
    apply in_map_iff in J. destruct J as (h & E & J). now exists h. }
  destruct H as (h & J & E).
  assert (XU : X p b u <= maximum (map (X p b) workers)) by now apply maximum_above, in_map.
  assert (YH : Y p a h <= maximum (map (Y p a) workers)) by now apply maximum_above, in_map.
  rewrite Y_is_minus_X in YH. pose proof (load_below_spread workers h u J I) as D.
  assert (D' : (1 - p) * (IZR (held h) - IZR (held u)) <= (1 - p) * V workers).
  { apply Rmult_le_compat_l; lra. }
  set (r := (1 - p) * V workers + excess B p a b workers).
  assert (U : IZR (T - sum (kept u) - Z.of_nat (gone u) * b) <= r).
  { replace (T - sum (kept u) - Z.of_nat (gone u) * b)%Z
      with (T - (sum (kept u) + Z.of_nat (gone u) * b))%Z by lia.
    rewrite minus_IZR, E, !(refilled p), (LB h J), (LB u I). unfold r, excess.
    rewrite minus_IZR. lra. }
  pose proof (Rmax_l 0 r). pose proof (Rmax_r 0 r).
  destruct (Z.max_spec 0 (T - sum (kept u) - Z.of_nat (gone u) * b)) as [[_ ->]|[_ ->]]; lra.
Qed.

(** ** Both sides along a run *)

Lemma spread_of_all_grown : forall c xs, spread (map (Z.add c) xs) = spread xs.
Proof.
  intros c xs. destruct xs as [|x xs]; [reflexivity|].
  assert (M : largest (map (Z.add c) (x :: xs)) = (c + largest (x :: xs))%Z).
  { simpl. induction xs as [|y ys IH]; simpl; [reflexivity|]. rewrite IH. lia. }
  assert (M' : smallest (map (Z.add c) (x :: xs)) = (c + smallest (x :: xs))%Z).
  { simpl. clear M. induction xs as [|y ys IH]; simpl; [reflexivity|]. rewrite IH. lia. }
  unfold spread. rewrite M, M'. lia.
Qed.

Lemma rich_pool_fills : forall a b s groups, optimal_from_rich a b s groups ->
  filling a b s groups.
Proof.
  intros a b s groups (ab & [S R] & [A _]). split; [exact S|]. split; [|exact A].
  specialize (R a ltac:(lia)). pose proof (count_occ_bound Z.eq_dec a (pool s)). lia.
Qed.

Lemma filled_step : forall G B a b workers next pool groups growth,
  (1 <= G)%nat -> full G B workers -> filling a b (refill workers pool) groups ->
  Forall2 (fun worker jobs =>
    Permutation (map fst jobs) (map (Z.add growth) (kept (fst worker) ++ snd worker)))
    (combine workers groups) next ->
  full G B next /\ V next = IZR (spread (after (refill workers pool) groups)).
Proof.
  intros G B a b workers next pool groups growth g L (S & E & A) M.
  destruct (after_a_step G B workers pool groups growth next g L E A M) as [L' H].
  split; [exact L'|]. unfold V. now rewrite H, spread_of_all_grown.
Qed.

Lemma filling_fills : forall G B a b, (1 <= G)%nat -> fills G B (filling a b).
Proof.
  intros G B a b g st next L (pool & groups & growth & A & M).
  exact (proj1 (filled_step G B a b _ _ _ _ _ g L A M)).
Qed.

Lemma imbalance_and_spread : forall G B workers, (1 <= G)%nat -> full G B workers ->
  0 <= V workers <= imb workers /\ imb workers <= (INR G - 1) * V workers.
Proof.
  intros G B workers g [L _].
  assert (N : map held workers <> []).
  { intros E. apply map_eq_nil in E. subst. simpl in g. lia. }
  pose proof (imbalance_at_least _ N) as A. pose proof (imbalance_at_most _ N) as C.
  rewrite map_length, L in C. apply IZR_le in A, C.
  rewrite mult_IZR, minus_IZR, <- INR_IZR_INZ in C.
  split; [split; [|exact A]|exact C]. apply (IZR_le 0). unfold spread.
  pose proof (largest_above _ _ (smallest_in _ N)). lia.
Qed.

Lemma average_wide : forall K c (f v : nat -> R), (forall k, (k < K)%nat -> f k <= c * v k) ->
  average K f <= c * average K v.
Proof.
  intros K c f v H. unfold average, Rdiv. rewrite <- Rmult_assoc.
  assert (Q : upto K f <= c * upto K v).
  { induction K as [|K IH]; simpl; [lra|]. pose proof (IH (fun k L => H k ltac:(lia))).
    pose proof (H K ltac:(lia)). lra. }
  destruct K as [|K]; [simpl in *; lra|].
  apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat, lt_0_INR; lia|exact Q].
Qed.

Lemma summed_below : forall K p (n v : nat -> R), 0 <= p <= 1 ->
  (forall k, (k <= K)%nat -> 0 <= v k) ->
  (forall k, (k < K)%nat -> n k - (1 - p) * v k <= v (S k)) ->
  upto K n <= (2 - p) * upto (S K) v.
Proof.
  intros K p n v P I H.
  assert (Q : upto K n + v 0%nat <= (2 - p) * upto K v + v K).
  { clear I. induction K as [|K IH]; [simpl; lra|].
    pose proof (IH (fun k L => H k ltac:(lia))). pose proof (H K ltac:(lia)). simpl. lra. }
  pose proof (I 0%nat ltac:(lia)). pose proof (I K ltac:(lia)). simpl. nra.
Qed.

(** The converse.  Every policy that fills all slots, from any pool with sizes in [a, b], has
    [V' >= N - B p (b - a) - (1 - p) V] at every step; so the imbalances of steps [0] to [K] sum to
    at least that of [N - B p (b - a)] over the first [K] of them, divided by [2 - p].  The same
    holds in the mean over any finite law of runs. *)
Theorem threshold_converse : forall G B K p a b, (1 <= G)%nat -> 0 <= p <= 1 ->
  (forall r, runs G B K (filling a b) r ->
     (forall k, (k < K)%nat -> excess B p a b (r k) - (1 - p) * V (r k) <= V (r (S k))) /\
     upto K (fun k => excess B p a b (r k)) <= (2 - p) * upto (S K) (fun k => V (r k)) /\
     forall k, (k <= K)%nat -> V (r k) <= imb (r k)) /\
  (forall law, law_of (runs G B K (filling a b)) law ->
     mean law (fun r => upto K (fun k => excess B p a b (r k))) / ((2 - p) * INR (S K))
     <= mean law (fun r => average (S K) (fun k => imb (r k)))).
Proof.
  intros G B K p a b g P.
  assert (L : forall r, runs G B K (filling a b) r -> forall k, (k <= K)%nat -> full G B (r k)).
  { intros r. apply stays_full. now apply filling_fills. }
  assert (I : forall r, runs G B K (filling a b) r ->
    forall k, (k <= K)%nat -> 0 <= V (r k) <= imb (r k)).
  { intros r H k k1. now apply (imbalance_and_spread G B), (L r H). }
  assert (low : forall r, runs G B K (filling a b) r ->
    forall k, (k < K)%nat -> excess B p a b (r k) - (1 - p) * V (r k) <= V (r (S k))).
  { intros r H k k1. destruct (proj2 H k k1) as (pool & groups & growth & A & M).
    assert (Lk := L r H k ltac:(lia)).
    destruct (filled_step G B a b _ _ _ _ _ g Lk A M) as [_ ->].
    now apply (spread_from_below G B). }
  assert (T : forall r, runs G B K (filling a b) r ->
    upto K (fun k => excess B p a b (r k)) <= (2 - p) * upto (S K) (fun k => V (r k))).
  { intros r H. apply (summed_below K p (fun k => excess B p a b (r k))); [exact P| |].
    - intros k k1. now apply I.
    - now apply low. }
  split.
  - intros r H. split; [now apply low|]. split; [now apply T|]. intros k k1. now apply I.
  - intros law F.
    assert (k0 : 0 < INR (S K)) by (apply lt_0_INR; lia).
    assert (q : 0 < (2 - p) * INR (S K)) by (apply Rmult_lt_0_compat; lra).
    rewrite <- (Rplus_0_r (mean _ _ / _)), <- (mean_constant _ _ law 0 F). unfold Rdiv.
    rewrite Rmult_comm, <- mean_linear.
    apply (mean_le _ (runs G B K (filling a b))); [exact F|]. intros r H. unfold average.
    apply (Rmult_le_reg_l ((2 - p) * INR (S K))); [exact q|].
    match goal with |- ?y <= ?z => replace y with (upto K (fun k => excess B p a b (r k)))
      by (field; lra); replace z with ((2 - p) * upto (S K) (fun k => imb (r k)))
      by (field; lra) end.
    eapply Rle_trans; [now apply T|]. apply Rmult_le_compat_l; [lra|].
    assert (M : forall J, (J <= S K)%nat ->
      upto J (fun k => V (r k)) <= upto J (fun k => imb (r k))).
    { induction J as [|J IH]; intros j; simpl; [lra|].
      pose proof (IH ltac:(lia)). destruct (I r H J ltac:(lia)). lra. }
    now apply M.
Qed.

(** One step from a rich pool. *)
Lemma rich_step : forall G B p a b workers next, (1 <= G)%nat -> full G B workers -> p <= 1 ->
  moves (optimal_from_rich a b) workers next ->
  full G B next /\
  V next <= Rmax 0 ((1 - p) * V workers + excess B p a b workers) /\
  imb next <= (1 - p) * imb workers + deviations B p a (b - a) workers.
Proof.
  intros G B p a b workers next g L P (pool & groups & growth & A & M).
  pose proof (rich_pool_fills _ _ _ _ A) as Fill.
  destruct (filled_step G B a b _ _ _ _ _ g L Fill M) as [L' E]. split; [exact L'|].
  split; [rewrite E; now apply (spread_from_above G B)|].
  destruct Fill as (_ & fills & _). destruct A as (ab & R & [A O]).
  destruct (after_a_step G B _ _ _ _ _ g L fills A M) as [_ H'].
  unfold imb at 1. rewrite H', imbalance_of_all_grown.
  pose proof (waterfill_after_departures G B p a (b - a) workers pool g L P) as Q.
  cbv zeta in Q. replace (a + (b - a))%Z with b in Q by lia.
  destruct (waterfill_is_reached _ a b (refill_well_formed G B _ pool g L) ab R)
    as (others & D & _ & C).
  pose proof (O others D) as T. rewrite C in T. apply IZR_le in T. unfold cost in T. lra.
Qed.

Lemma rich_fills : forall G B a b, (1 <= G)%nat -> fills G B (optimal_from_rich a b).
Proof.
  intros G B a b g st next L M. exact (proj1 (rich_step G B 1 a b st next g L (Rle_refl 1) M)).
Qed.

(** The recursion of the spread, as one that can be summed. *)
Lemma spread_sum : forall G B p a b workers next, (1 <= G)%nat -> full G B workers -> p <= 1 ->
  moves (optimal_from_rich a b) workers next ->
  V next <= (1 - p) * V workers + 0 + Rmax 0 (excess B p a b workers).
Proof.
  intros G B p a b workers next g L P M.
  destruct (rich_step G B p a b workers next g L P M) as (_ & Q & _).
  eapply Rle_trans; [exact Q|].
  pose proof (proj1 (proj1 (imbalance_and_spread G B workers g L))) as N.
  pose proof (Rmax_l 0 (excess B p a b workers)). pose proof (Rmax_r 0 (excess B p a b workers)).
  assert (0 <= (1 - p) * V workers) by (apply Rmult_le_pos; lra). apply Rmax_lub; lra.
Qed.

(** From a rich pool an optimal admission has [V' <= ((1 - p) V + N - B p (b - a))^+], and
    [Imb' <= (1 - p) Imb + sum_g (X_g + max_h Y_h - B p (b - a))^+], at every step; so over [K]
    steps the average imbalance is at most [G - 1] times
    [average of (N - B p (b - a))^+ / p + V_0 / (p K)].  The same holds in the mean over any finite
    law of runs. *)
Theorem geometric_recursion : forall G B K p a b,
  (1 <= G)%nat -> (1 <= K)%nat -> 0 < p <= 1 ->
  (forall r, runs G B K (optimal_from_rich a b) r ->
     (forall k, (k < K)%nat ->
        V (r (S k)) <= Rmax 0 ((1 - p) * V (r k) + excess B p a b (r k)) /\
        imb (r (S k)) <= (1 - p) * imb (r k) + deviations B p a (b - a) (r k)) /\
     average K (fun k => imb (r k))
     <= (INR G - 1) * (average K (fun k => Rmax 0 (excess B p a b (r k))) / p
                       + V (r 0%nat) / (p * INR K))) /\
  (forall law, law_of (runs G B K (optimal_from_rich a b)) law ->
     mean law (fun r => average K (fun k => imb (r k)))
     <= (INR G - 1) * (mean law (fun r => average K (fun k => Rmax 0 (excess B p a b (r k)))) / p
                       + mean law (fun r => V (r 0%nat)) / (p * INR K))).
Proof.
  intros G B K p a b g k1 P.
  assert (g1 : 0 <= INR G - 1) by (apply (le_INR 1) in g; simpl in g; lra).
  assert (L : forall r, runs G B K (optimal_from_rich a b) r ->
    forall k, (k <= K)%nat -> full G B (r k)).
  { intros r. apply stays_full. now apply rich_fills. }
  assert (step : forall r, runs G B K (optimal_from_rich a b) r -> 0 <= V (r K) /\
    forall k, (k < K)%nat ->
    V (r (S k)) <= (1 - p) * V (r k) + 0 + Rmax 0 (excess B p a b (r k))).
  { intros r H. split; [apply (imbalance_and_spread G B); auto; now apply L|].
    intros k kK. apply (spread_sum G B); [exact g|apply (L r H); lia|lra|now apply (proj2 H)]. }
  assert (wide : forall r, runs G B K (optimal_from_rich a b) r ->
    average K (fun k => imb (r k)) <= (INR G - 1) * average K (fun k => V (r k))).
  { intros r H. apply average_wide. intros k kK.
    apply (imbalance_and_spread G B); [exact g|apply (L r H); lia]. }
  split.
  - intros r H. split.
    { intros k kK. apply (rich_step G B); [exact g|apply (L r H); lia|lra|now apply (proj2 H)]. }
    eapply Rle_trans; [now apply wide|].
    apply Rmult_le_compat_l; [exact g1|]. destruct (step r H) as [N Q].
    pose proof (averaged K p 0 (fun k => V (r k)) (fun k => Rmax 0 (excess B p a b (r k)))
      k1 (proj1 P) N Q) as T. rewrite Rplus_0_l in T. exact T.
  - intros law A.
    apply Rle_trans with ((INR G - 1) * mean law (fun r => average K (fun k => V (r k)))).
    + rewrite <- (Rplus_0_r (_ * _)), <- (mean_constant _ _ law 0 A), <- mean_linear.
      apply (mean_le _ (runs G B K (optimal_from_rich a b))); [exact A|]. intros r H.
      rewrite Rplus_0_r. now apply wide.
    + apply Rmult_le_compat_l; [exact g1|].
      pose proof (averaged_in_the_mean _ _ K p 0 law (fun r k => V (r k))
        (fun r k => Rmax 0 (excess B p a b (r k))) k1 (proj1 P) A step) as T.
      rewrite Rplus_0_l in T. exact T.
Qed.
