(** * What departures deviate by: Bernstein's inequality for their mean

    Every request departs with probability [p], independently of the others and of the loads.  For
    two workers [g] and [h] the deviation [X_g + Y_h] of the recursion is then a sum of independent
    terms of mean 0, and Bennett's inequality bounds its exponential moments; on one worker
    [X_g + Y_g] is never above [B p delta].  So the mean of what deviates beyond [B p delta] is
    exponentially small once that is large against the standard deviation.

    Claim: [geometric.deviations-tail]. *)

From Coq Require Import Reals Lra ZArith List Lia Arith.
From evenkeel Require Import Loads Step Waterfill Departures Recursion Spread RandomDepartures.
Import ListNotations.
Open Scope R_scope.

(** ** The exponential series, by its derivatives *)

Lemma rises : forall f f' x, 0 <= x ->
  (forall c, derivable_pt_lim f c (f' c)) -> (forall c, 0 <= c <= x -> 0 <= f' c) -> f 0 <= f x.
Proof.
  intros f f' x [P|<-] D N; [|lra].
  destruct (MVT_cor2 f f' 0 x P ltac:(intros; apply D)) as (c & E & C).
  assert (0 <= f' c * (x - 0)) by (apply Rmult_le_pos; [apply N|]; lra). lra.
Qed.

Ltac derive := match goal with |- derivable_pt_lim ?f ?c _ =>
  let pr := fresh in assert (pr : derivable_pt f c) by reg;
  apply (derive_pt_eq_1 _ _ _ pr); reg; unfold pow_fct; field end.

(** [e^x - 1 - x] on both sides of 0, and below its chord in [x^2]. *)
Lemma exp_even : forall x, 0 <= x -> exp (- x) - 1 + x <= exp x - 1 - x.
Proof.
  intros x P.
  pose proof (rises (fun t => exp t - exp (- t) - 2 * t) (fun t => exp t + exp (- t) - 2) x P) as H.
  cbv beta in H. rewrite Ropp_0, exp_0 in H.
  assert (0 <= exp x - exp (- x) - 2 * x); [|lra].
  apply Rle_trans with (1 - 1 - 2 * 0); [lra|]. apply H; intros c.
  - derive.
  - intros _. assert (E : exp c * exp (- c) = 1) by (rewrite <- exp_plus, Rplus_opp_r; apply exp_0).
    pose proof (exp_pos c). pose proof (exp_pos (- c)).
    pose proof (pow2_ge_0 (exp c - exp (- c))). nra.
Qed.

Lemma exp_chord : forall u t, 0 <= u <= 1 -> 0 <= t ->
  exp (u * t) - 1 - u * t <= u ^ 2 * (exp t - 1 - t).
Proof.
  intros u t U T.
  assert (convex : forall c, 0 <= c -> exp (u * c) - 1 <= u * (exp c - 1)).
  { intros c C. pose proof (rises (fun s => u * (exp s - 1) - (exp (u * s) - 1))
      (fun s => u * exp s - u * exp (u * s)) c C) as H. cbv beta in H.
    rewrite Rmult_0_r, exp_0 in H.
    assert (0 <= u * (exp c - 1) - (exp (u * c) - 1)); [|lra].
    apply Rle_trans with (u * (1 - 1) - (1 - 1)); [lra|]. apply H; intros s.
    - derive.
    - intros S. rewrite <- Rmult_minus_distr_l. apply Rmult_le_pos; [lra|].
      destruct (Req_dec (u * s) s) as [->|]; [lra|].
      assert (exp (u * s) < exp s) by (apply exp_increasing; nra). lra. }
  pose proof (rises (fun s => u ^ 2 * (exp s - 1 - s) - (exp (u * s) - 1 - u * s))
    (fun s => u ^ 2 * (exp s - 1) - u * (exp (u * s) - 1)) t T) as H. cbv beta in H.
  rewrite Rmult_0_r, exp_0 in H.
  assert (0 <= u ^ 2 * (exp t - 1 - t) - (exp (u * t) - 1 - u * t)); [|lra].
  apply Rle_trans with (u ^ 2 * (1 - 1 - 0) - (1 - 1 - 0)); [lra|]. apply H; intros s.
  - derive.
  - intros S. pose proof (convex s (proj1 S)). nra.
Qed.

Lemma exp_bounded : forall x t, 0 < t -> Rabs x <= t ->
  exp x <= 1 + x + x ^ 2 * ((exp t - 1 - t) / t ^ 2).
Proof.
  intros x t T X. set (u := Rabs x / t).
  assert (U : 0 <= u <= 1).
  { unfold u. split; [apply Rmult_le_pos; [apply Rabs_pos|left; now apply Rinv_0_lt_compat]|].
    apply (Rmult_le_reg_r t); [exact T|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l; lra. }
  pose proof (exp_chord u t U (Rlt_le _ _ T)) as C.
  replace (u * t) with (Rabs x) in C by (unfold u; field; lra).
  replace (u ^ 2 * (exp t - 1 - t)) with (x ^ 2 * ((exp t - 1 - t) / t ^ 2)) in C.
  - destruct (Rle_lt_dec 0 x) as [P|P].
    + rewrite Rabs_right in C by lra. lra.
    + rewrite Rabs_left in C by lra. pose proof (exp_even (- x) ltac:(lra)) as E.
      rewrite Ropp_involutive in E. lra.
  - unfold u. rewrite <- (pow2_abs x). field. lra.
Qed.

(** [e^x - 1 - x <= x^2 / (2 (1 - x / 3))] below 3. *)
Lemma exp_bernstein : forall x, 0 <= x -> 2 * (1 - x / 3) * (exp x - 1 - x) <= x ^ 2.
Proof.
  intros x P.
  assert (second : forall t, 0 <= 2 / 3 + 2 / 3 * (t - 1) * exp t).
  { intros t. assert (E : exp (- t) * exp t = 1) by (rewrite <- exp_plus, Rplus_opp_l; apply exp_0).
    pose proof (exp_ineq1_le (- t)). pose proof (exp_pos t). nra. }
  assert (first : forall t, 0 <= t ->
    0 <= 2 * t + 2 / 3 * (exp t - 1 - t) - 2 * (1 - t / 3) * (exp t - 1)).
  { intros t T. pose proof (rises
      (fun t => 2 * t + 2 / 3 * (exp t - 1 - t) - 2 * (1 - t / 3) * (exp t - 1))
      (fun t => 2 / 3 + 2 / 3 * (t - 1) * exp t) t T) as H. cbv beta in H. rewrite exp_0 in H.
    eapply Rle_trans; [|apply H; [intros c; derive|intros c _; apply second]]. lra. }
  pose proof (rises (fun t => t * t - 2 * (1 - t / 3) * (exp t - 1 - t))
    (fun t => 2 * t + 2 / 3 * (exp t - 1 - t) - 2 * (1 - t / 3) * (exp t - 1)) x P) as H.
  cbv beta in H. rewrite exp_0 in H.
  assert (0 <= x * x - 2 * (1 - x / 3) * (exp x - 1 - x)); [|lra].
  eapply Rle_trans; [|apply H; [intros c; derive|intros c C; now apply first]]. lra.
Qed.

(** ** Exponential moments *)

Lemma one_departure : forall p z t, 0 <= p <= 1 -> 0 < t -> Rabs z <= t ->
  p * exp ((1 - p) * z) + (1 - p) * exp (- p * z)
  <= exp (p * (1 - p) * (z ^ 2 * ((exp t - 1 - t) / t ^ 2))).
Proof.
  intros p z t P T Z.
  assert (K : forall q, -1 <= q <= 1 -> Rabs (q * z) <= t).
  { intros q Q. rewrite Rabs_mult. pose proof (Rabs_pos z).
    apply Rle_trans with (1 * Rabs z); [|lra].
    apply Rmult_le_compat_r; [lra|apply Rabs_le; lra]. }
  pose proof (exp_bounded ((1 - p) * z) t T (K (1 - p) ltac:(lra))) as A.
  pose proof (exp_bounded (- p * z) t T (K (- p) ltac:(lra))) as B.
  apply (Rmult_le_compat_l p) in A; [|lra]. apply (Rmult_le_compat_l (1 - p)) in B; [|lra].
  set (k := (exp t - 1 - t) / t ^ 2) in *.
  pose proof (exp_ineq1_le (p * (1 - p) * (z ^ 2 * k))) as C.
  eapply Rle_trans; [apply Rplus_le_compat; [exact A|exact B]|].
  eapply Rle_trans; [|exact C]. right. ring.
Qed.

(** Coefficients of the loads of every worker; the sum of [(xi - p) c] and that of [c^2]. *)
Definition weighted (p : R) (c : Z -> R) (jobs : list job) : R :=
  total (map (fun j => (xi j - p) * c (fst j)) jobs).

Fixpoint tilt (p : R) (c : nat -> Z -> R) (st : state) : R :=
  match st with
  | [] => 0
  | jobs :: rest => weighted p (c 0%nat) jobs + tilt p (fun i => c (S i)) rest
  end.

Definition squares (c : Z -> R) (ws : list Z) : R := total (map (fun w => c w ^ 2) ws).

Fixpoint variance (c : nat -> Z -> R) (loads : list (list Z)) : R :=
  match loads with
  | [] => 0
  | ws :: rest => squares (c 0%nat) ws + variance (fun i => c (S i)) rest
  end.

(** [(e^(theta r) - 1 - theta r) / r^2]. *)
Definition bennett (theta r : R) : R := (exp (theta * r) - 1 - theta * r) / r ^ 2.

Lemma E_jobs_exp : forall p theta r c ws, 0 <= p <= 1 -> 0 < theta -> 0 < r ->
  Forall (fun w => Rabs (c w) <= r) ws ->
  E_jobs p ws (fun jobs => exp (theta * weighted p c jobs))
  <= exp (p * (1 - p) * squares c ws * bennett theta r).
Proof.
  intros p theta r c ws P T R0 F. induction F as [|w ws H F IH].
  - unfold weighted, squares. simpl. right. f_equal. ring.
  - cbn [E_jobs]. set (z := theta * c w) in *.
    rewrite (E_jobs_ext p ws _ (fun jobs =>
      exp (theta * weighted p c jobs) * exp ((1 - p) * z))).
    + rewrite (E_jobs_ext p ws (fun jobs => exp (theta * weighted p c ((w, false) :: jobs)))
        (fun jobs => exp (theta * weighted p c jobs) * exp (- p * z))).
      * rewrite !E_jobs_scaled. set (e := E_jobs p ws _) in *.
        replace (p * (e * exp ((1 - p) * z)) + (1 - p) * (e * exp (- p * z)))
          with (e * (p * exp ((1 - p) * z) + (1 - p) * exp (- p * z))) by ring.
        assert (Z : Rabs z <= theta * r).
        { unfold z. rewrite Rabs_mult, (Rabs_right theta) by lra.
          apply Rmult_le_compat_l; [lra|exact H]. }
        pose proof (one_departure p z (theta * r) P ltac:(now apply Rmult_lt_0_compat) Z) as D.
        replace (p * (1 - p) * squares c (w :: ws) * bennett theta r)
          with (p * (1 - p) * squares c ws * bennett theta r
                + p * (1 - p) * (z ^ 2 * ((exp (theta * r) - 1 - theta * r) / (theta * r) ^ 2)))
          by (unfold squares, bennett, z; simpl; field; lra).
        rewrite exp_plus. apply Rmult_le_compat; [|  |exact IH|exact D].
        -- unfold e. rewrite <- (E_jobs_constant p ws 0) at 1. apply E_jobs_le; [exact P|].
           intros jobs _. left. apply exp_pos.
        -- pose proof (exp_pos ((1 - p) * z)). pose proof (exp_pos (- p * z)).
           apply Rplus_le_le_0_compat; apply Rmult_le_pos; lra.
      * intros jobs _. rewrite <- exp_plus. f_equal. unfold weighted, z, xi. simpl. ring.
    + intros jobs _. rewrite <- exp_plus. f_equal. unfold weighted, z, xi. simpl. ring.
Qed.

Fixpoint within (r : R) (c : nat -> Z -> R) (loads : list (list Z)) : Prop :=
  match loads with
  | [] => True
  | ws :: rest => Forall (fun w => Rabs (c 0%nat w) <= r) ws /\ within r (fun i => c (S i)) rest
  end.

Lemma E_state_exp : forall p theta r loads c, 0 <= p <= 1 -> 0 < theta -> 0 < r ->
  within r c loads ->
  E_state p loads (fun st => exp (theta * tilt p c st))
  <= exp (p * (1 - p) * variance c loads * bennett theta r).
Proof.
  intros p theta r loads. induction loads as [|ws rest IH]; intros c P T R0 H;
    cbn [E_state tilt variance].
  - right. f_equal. ring.
  - destruct H as [H1 H2]. specialize (IH (fun i => c (S i)) P T R0 H2).
    set (K := exp (p * (1 - p) * variance (fun i => c (S i)) rest * bennett theta r)) in *.
    apply Rle_trans with (E_jobs p ws (fun jobs => exp (theta * weighted p (c 0%nat) jobs) * K)).
    + apply E_jobs_le; [exact P|]. intros jobs _. set (u := exp (theta * weighted _ _ jobs)).
      apply Rle_trans with (E_state p rest (fun st =>
        u * exp (theta * tilt p (fun i => c (S i)) st) + 0)).
      * apply E_state_le; [exact P|]. intros st _. right. unfold u. rewrite Rplus_0_r, <- exp_plus.
        f_equal. ring.
      * rewrite (E_state_linear p rest u _ (fun _ => 0)), E_state_constant, Rplus_0_r.
        apply Rmult_le_compat_l; [left; apply exp_pos|exact IH].
    + rewrite E_jobs_scaled, Rmult_plus_distr_l, Rmult_plus_distr_r, exp_plus. fold K.
      apply Rmult_le_compat_r; [left; apply exp_pos|]. now apply E_jobs_exp.
Qed.

(** ** The deviations of a step *)

(** [f] for worker [g], and 0 for the others. *)
Definition only (g : nat) (f : Z -> R) : nat -> Z -> R := fun i w => if Nat.eqb i g then f w else 0.

(** [X_g + Y_h] as one sum over all requests: [X] at [x + delta] and [Y] at [x]. *)
Definition pair (x delta : Z) (g h : nat) : nat -> Z -> R := fun i w =>
  only g (fun w => IZR (w - (x + delta))) i w + -1 * only h (fun w => IZR (w - x)) i w.

Lemma weighted_zero : forall p jobs, weighted p (fun _ => 0) jobs = 0.
Proof. unfold weighted. induction jobs; simpl; [reflexivity|]. rewrite IHjobs. ring. Qed.

Lemma tilt_zero : forall p st, tilt p (fun _ _ => 0) st = 0.
Proof.
  induction st; [reflexivity|]. cbn [tilt]. rewrite weighted_zero, IHst. ring.
Qed.

Lemma tilt_only : forall p f st g, (g < length st)%nat ->
  tilt p (only g f) st = weighted p f (nth g st []).
Proof.
  intros p f. induction st as [|jobs rest IH]; intros g H; [simpl in H; lia|].
  destruct g as [|g]; cbn [tilt nth].
  - change (only 0 f 0%nat) with (fun w => f w).
    change (fun i => only 0 f (S i)) with (fun (_ : nat) (_ : Z) => 0).
    rewrite tilt_zero. unfold weighted. ring.
  - change (only (S g) f 0%nat) with (fun _ : Z => 0).
    change (fun i => only (S g) f (S i)) with (only g f).
    rewrite weighted_zero, IH by (simpl in H; lia). ring.
Qed.

Lemma tilt_sum : forall p c d st,
  tilt p (fun i w => c i w + -1 * d i w) st = tilt p c st - tilt p d st.
Proof.
  intros p c d st. revert c d. induction st as [|jobs rest IH]; intros c d; cbn [tilt]; [ring|].
  rewrite (IH (fun i => c (S i)) (fun i => d (S i))).
  assert (W : weighted p (fun w => c 0%nat w + -1 * d 0%nat w) jobs
    = weighted p (c 0%nat) jobs - weighted p (d 0%nat) jobs).
  { unfold weighted. clear. induction jobs; simpl; [ring|]. rewrite IHjobs. ring. }
  rewrite W. ring.
Qed.

Lemma pair_is_a_deviation : forall p x delta st g h, (g < length st)%nat -> (h < length st)%nat ->
  tilt p (pair x delta g h) st = X p (x + delta) (nth g st []) + Y p x (nth h st []).
Proof.
  intros p x delta st g h G H. unfold pair. rewrite tilt_sum, !tilt_only by assumption.
  rewrite Y_is_minus_X. unfold X, weighted. ring.
Qed.

Lemma squares_cons : forall c w ws, squares c (w :: ws) = c w ^ 2 + squares c ws.
Proof. reflexivity. Qed.

Lemma squares_zero : forall ws, squares (fun _ => 0) ws = 0.
Proof. induction ws; [reflexivity|]. rewrite squares_cons, IHws. ring. Qed.

Lemma variance_zero : forall loads, variance (fun _ _ => 0) loads = 0.
Proof.
  induction loads as [|ws rest IH]; [reflexivity|]. cbn [variance].
  rewrite IH, squares_zero. ring.
Qed.

Lemma variance_only : forall f loads g, variance (only g f) loads <= squares f (nth g loads []).
Proof.
  intros f. induction loads as [|ws rest IH]; intros g.
  - destruct g; unfold squares; simpl; lra.
  - destruct g as [|g]; cbn [variance nth].
    + change (only 0 f 0%nat) with (fun w => f w).
      change (fun i => only 0 f (S i)) with (fun (_ : nat) (_ : Z) => 0).
      rewrite variance_zero. unfold squares. lra.
    + change (only (S g) f 0%nat) with (fun _ : Z => 0).
      change (fun i => only (S g) f (S i)) with (only g f).
      rewrite squares_zero. specialize (IH g). lra.
Qed.

(** On two workers the squares add. *)
Lemma variance_of_pair : forall x delta g h loads, g <> h ->
  variance (pair x delta g h) loads
  <= squares (fun w => IZR (w - (x + delta))) (nth g loads [])
     + squares (fun w => IZR (w - x)) (nth h loads []).
Proof.
  intros x delta g h loads ne. unfold pair. generalize (fun w => IZR (w - (x + delta))).
  generalize (fun w => IZR (w - x)). intros d c.
  assert (E : forall u v, (forall i w, u i w * v i w = 0) ->
    variance (fun i w => u i w + -1 * v i w) loads = variance u loads + variance v loads).
  { clear. induction loads as [|ws rest IH]; intros u v H; cbn [variance]; [ring|].
    rewrite (IH (fun i => u (S i)) (fun i => v (S i))) by auto.
    assert (W : squares (fun w => u 0%nat w + -1 * v 0%nat w) ws
      = squares (u 0%nat) ws + squares (v 0%nat) ws).
    { clear - H. induction ws as [|w ws IHw]; [unfold squares; simpl; ring|].
      rewrite !squares_cons, IHw. specialize (H 0%nat w). cbv beta in H. nra. }
    rewrite W. ring. }
  rewrite E.
  - pose proof (variance_only c loads g). pose proof (variance_only d loads h). lra.
  - intros i w. unfold only. destruct (Nat.eqb_spec i g), (Nat.eqb_spec i h); subst;
      try congruence; ring.
Qed.

Lemma pair_within : forall r x delta loads g h, g <> h -> 0 <= r ->
  Forall (Forall (fun w => Rabs (IZR (w - (x + delta))) <= r /\ Rabs (IZR (w - x)) <= r)) loads ->
  within r (pair x delta g h) loads.
Proof.
  intros r x delta loads g h ne R0 F.
  assert (all : forall c : nat -> Z -> R, (forall i w,
      Rabs (IZR (w - (x + delta))) <= r /\ Rabs (IZR (w - x)) <= r -> Rabs (c i w) <= r) ->
    within r c loads).
  { clear - F. induction F as [|ws rest H F IH]; intros c C; cbn [within]; [exact I|]. split.
    - eapply Forall_impl; [|exact H]. intros w. apply C.
    - apply IH. intros i w. apply C. }
  apply all. intros i w [H1 H2]. unfold pair, only.
  destruct (Nat.eqb_spec i g), (Nat.eqb_spec i h); [congruence| | |].
  - replace (_ + -1 * 0) with (IZR (w - (x + delta))) by ring. exact H1.
  - replace (0 + _) with (- IZR (w - x)) by ring. now rewrite Rabs_Ropp.
  - replace (0 + -1 * 0) with 0 by ring. rewrite Rabs_R0. exact R0.
Qed.

(** On one worker every departure brings [X + Y] down by [delta], from [B p delta]. *)
Lemma own_deviation : forall p x delta jobs,
  X p (x + delta) jobs + Y p x jobs
  = INR (length jobs) * p * IZR delta - INR (gone jobs) * IZR delta.
Proof.
  intros p x delta jobs. unfold X, Y. induction jobs as [|j jobs IH]; [simpl; ring|].
  assert (N : INR (gone (j :: jobs)) = xi j + INR (gone jobs)).
  { destruct j as [w [|]]; unfold xi, gone, leaving; cbn [filter snd map length];
      [rewrite S_INR|]; ring. }
  rewrite N. cbn [length map total fold_right]. rewrite S_INR. unfold total in *.
  rewrite !minus_IZR, plus_IZR in *. lra.
Qed.

Lemma by_index : forall A (F : list job -> A) st,
  map F st = map (fun g => F (nth g st [])) (seq 0 (length st)).
Proof.
  induction st as [|jobs rest IH]; [reflexivity|]. simpl. f_equal.
  rewrite <- seq_shift, map_map. exact IH.
Qed.

Lemma total_constant : forall A c (xs : list A), total (map (fun _ => c) xs) = INR (length xs) * c.
Proof.
  induction xs; [simpl; ring|]. simpl length. rewrite S_INR. simpl. rewrite IHxs. ring.
Qed.

Lemma total_above : forall A (f : A -> R) xs y, Forall (fun x => 0 <= f x) xs -> In y xs ->
  f y <= total (map f xs).
Proof.
  intros A f xs y F I. induction F as [|x xs H F IH]; [destruct I|]. simpl.
  assert (0 <= total (map f xs)). { clear - F. induction F; simpl; lra. }
  destruct I as [->|I]; [lra|]. apply IH in I. lra.
Qed.

(** [u^+ <= exp (theta u - 1) / theta], with equality at [1 / theta]. *)
Lemma positive_part : forall theta u, 0 < theta -> Rmax 0 u <= exp (theta * u - 1) / theta.
Proof.
  intros theta u T. assert (0 < exp (theta * u - 1) / theta).
  { apply Rdiv_lt_0_compat; [apply exp_pos|exact T]. }
  apply Rmax_lub; [lra|]. apply (Rmult_le_reg_r theta); [exact T|].
  unfold Rdiv. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
  pose proof (exp_ineq1_le (theta * u - 1)). lra.
Qed.

(** Sum over the [G - 1] others. *)
Lemma total_of_others : forall G g c, (g < G)%nat ->
  total (map (fun h => if Nat.eqb g h then 0 else c) (seq 0 G)) = (INR G - 1) * c.
Proof.
  assert (all : forall n g c, (n <= g)%nat ->
    total (map (fun h => if Nat.eqb g h then 0 else c) (seq 0 n)) = INR n * c).
  { intros n g c H. rewrite <- (seq_length n 0) at 2. rewrite <- total_constant. f_equal.
    apply map_ext_in. intros h I. apply in_seq in I.
    destruct (Nat.eqb_spec g h); [lia|reflexivity]. }
  induction G as [|G IH]; intros g c H; [lia|].
  rewrite seq_S, map_app. unfold total. rewrite fold_right_app. fold total. cbn [map fold_right].
  assert (split : forall xs y, fold_right Rplus y xs = total xs + y).
  { clear. induction xs; intros y; simpl; [ring|]. rewrite IHxs. ring. }
  rewrite split, S_INR. destruct (Nat.eq_dec g G) as [->|ne].
  - rewrite all, Nat.eqb_refl by lia. ring.
  - rewrite IH by lia. destruct (Nat.eqb_spec g (0 + G)); [lia|]. ring.
Qed.

Lemma deviations_by_pairs : forall G B p x delta theta st, 0 < theta -> (1 <= delta)%Z ->
  full G B st ->
  deviations B p x delta st <= total (map (fun g => total (map (fun h =>
    if Nat.eqb g h then 0
    else exp (- (theta * (INR B * p * IZR delta)) - 1) / theta
         * exp (theta * tilt p (pair x delta g h) st))
    (seq 0 G))) (seq 0 G)).
Proof.
  intros G B p x delta theta st T d [L LB]. unfold deviations. subst G.
  rewrite (by_index R (fun jobs => Rmax 0 (X p (x + delta) jobs + maximum (map (Y p x) st)
    - INR B * p * IZR delta))).
  apply total_le, Forall_forall. intros g I. apply in_seq in I.
  assert (N : map (Y p x) st <> []).
  { intros Z. apply map_eq_nil in Z. subst. simpl in I. lia. }
  pose proof (maximum_in _ N) as M. rewrite by_index in M at 2. apply in_map_iff in M.
  destruct M as (h & E & J). rewrite <- E. set (k := exp (_ - 1) / theta).
  assert (k0 : 0 < k) by (apply Rdiv_lt_0_compat; [apply exp_pos|exact T]).
  set (term := fun h => if Nat.eqb g h then 0 else k * exp (theta * tilt p (pair x delta g h) st)).
  assert (pos : forall h, 0 <= term h).
  { intros j. unfold term. destruct (Nat.eqb g j); [lra|].
    left. apply Rmult_lt_0_compat; [exact k0|apply exp_pos]. }
  eapply Rle_trans; [|apply (total_above nat term) with (y := h); [|exact J]];
    [|now apply Forall_forall].
  unfold term. apply in_seq in J. destruct (Nat.eqb_spec g h) as [<-|ne].
  - rewrite own_deviation. rewrite Forall_forall in LB.
    rewrite (LB (nth g st [])) by (apply nth_In; lia).
    pose proof (pos_INR (gone (nth g st []))). apply IZR_le in d. apply Rmax_lub; nra.
  - eapply Rle_trans; [apply (positive_part theta); exact T|].
    rewrite pair_is_a_deviation by lia. right. unfold k.
    set (u := X p (x + delta) _). set (v := Y p x _). set (t := INR B * p * IZR delta).
    replace (theta * (u + v - t) - 1) with (- (theta * t) - 1 + theta * (u + v)) by ring.
    rewrite exp_plus. field. lra.
Qed.

(** The excess of the largest deviations is one of the terms of the sum. *)
Lemma excess_is_a_term : forall G B p x delta st, (1 <= G)%nat -> full G B st ->
  Rmax 0 (excess B p x (x + delta) st) <= deviations B p x delta st.
Proof.
  intros G B p x delta st g [L _]. unfold excess, deviations.
  replace (x + delta - x)%Z with delta by lia.
  assert (N : map (X p (x + delta)) st <> []).
  { intros Z. apply map_eq_nil in Z. subst st. simpl in L. lia. }
  pose proof (maximum_in _ N) as M. apply in_map_iff in M. destruct M as (u & <- & I).
  apply (total_above _ (fun jobs => Rmax 0 (X p (x + delta) jobs + maximum (map (Y p x) st)
    - INR B * p * IZR delta))); [|exact I].
  apply Forall_forall. intros jobs _. apply Rmax_l.
Qed.

(** For given loads, with [r] a bound of their distances from both sizes and [s] of the sum of the
    squared distances from the larger size on one worker and from the smaller one on another:
    Bennett's bound of the exponential moments of [X_g + Y_h], and for every [theta > 0] the bound
    of [E sum_g (X_g + max_h Y_h - B p delta)^+] by it, which bounds [E (N - B p delta)^+] too;
    at the best [theta] of Bernstein's form it is
    [G (G - 1) ((1 - p) s + r B delta / 3) / (e B delta)
     exp (- p (B delta)^2 / (2 (1 - p) s + (2 / 3) r B delta))]. *)
Theorem deviations_tail : forall G B p x delta r s loads,
  (1 <= G)%nat -> (1 <= B)%nat -> 0 <= p <= 1 -> (1 <= delta)%Z -> 0 < r ->
  length loads = G -> Forall (fun ws => length ws = B) loads ->
  Forall (Forall (fun w => Rabs (IZR (w - (x + delta))) <= r /\ Rabs (IZR (w - x)) <= r)) loads ->
  0 <= s -> (forall g h, (g < G)%nat -> (h < G)%nat -> g <> h ->
     squares (fun w => IZR (w - (x + delta))) (nth g loads [])
     + squares (fun w => IZR (w - x)) (nth h loads []) <= s) ->
  (forall theta g h, 0 < theta -> (g < G)%nat -> (h < G)%nat -> g <> h ->
     E_state p loads (fun st =>
       exp (theta * (X p (x + delta) (nth g st []) + Y p x (nth h st []))))
     <= exp (p * (1 - p) * s * bennett theta r)) /\
  (forall theta, 0 < theta ->
     E_state p loads (deviations B p x delta)
     <= INR G * (INR G - 1) / theta
        * exp (p * (1 - p) * s * bennett theta r - theta * (INR B * p * IZR delta) - 1)) /\
  E_state p loads (deviations B p x delta)
  <= INR G * (INR G - 1) * (((1 - p) * s + r * (INR B * IZR delta) / 3) / (INR B * IZR delta))
     * exp (- (p * (INR B * IZR delta) ^ 2
               / (2 * (1 - p) * s + 2 / 3 * r * (INR B * IZR delta))) - 1) /\
  E_state p loads (fun st => Rmax 0 (excess B p x (x + delta) st))
  <= E_state p loads (deviations B p x delta).
Proof.
  intros G B p x delta r s loads g1 b P d R0 LG LB Fr s0 Fs.
  assert (d1 : 1 <= IZR delta) by now apply (IZR_le 1).
  assert (b1 : 1 <= INR B) by now apply (le_INR 1) in b.
  assert (G1 : 1 <= INR G) by now apply (le_INR 1) in g1.
  assert (pq : 0 <= p * (1 - p)) by (apply Rmult_le_pos; lra).
  assert (F : forall st, map (map fst) st = loads -> full G B st).
  { intros st <-. split; [now rewrite map_length in LG|]. apply Forall_map in LB.
    eapply Forall_impl; [|exact LB]. intros jobs H. cbv beta in H. now rewrite map_length in H. }
  assert (ben0 : forall theta, 0 < theta -> 0 <= bennett theta r).
  { intros theta T. pose proof (exp_ineq1_le (theta * r)). apply Rmult_le_pos; [lra|].
    left. apply Rinv_0_lt_compat. apply pow_lt. exact R0. }
  assert (moment : forall theta g h, 0 < theta -> (g < G)%nat -> (h < G)%nat -> g <> h ->
     E_state p loads (fun st => exp (theta * tilt p (pair x delta g h) st))
     <= exp (p * (1 - p) * s * bennett theta r)).
  { intros theta g h T I J ne.
    eapply Rle_trans; [apply (E_state_exp p theta r); auto; apply pair_within; auto; lra|].
    assert (V : variance (pair x delta g h) loads <= s).
    { eapply Rle_trans; [now apply variance_of_pair|now apply Fs]. }
    pose proof (ben0 theta T).
    assert (Q : p * (1 - p) * variance (pair x delta g h) loads * bennett theta r
      <= p * (1 - p) * s * bennett theta r).
    { apply Rmult_le_compat_r; [lra|]. apply Rmult_le_compat_l; lra. }
    destruct Q as [Q| ->]; [left; now apply exp_increasing|right; reflexivity]. }
  assert (one : forall theta, 0 < theta ->
     E_state p loads (deviations B p x delta)
     <= INR G * (INR G - 1) / theta
        * exp (p * (1 - p) * s * bennett theta r - theta * (INR B * p * IZR delta) - 1)).
  { intros theta T. set (t := INR B * p * IZR delta).
    set (k := exp (- (theta * t) - 1) / theta).
    assert (k0 : 0 < k) by (apply Rdiv_lt_0_compat; [apply exp_pos|exact T]).
    set (e := exp (p * (1 - p) * s * bennett theta r)).
    set (term := fun g h st => if Nat.eqb g h then 0
      else k * exp (theta * tilt p (pair x delta g h) st)).
    apply Rle_trans with (E_state p loads (fun st => total (map (fun g => total (map (fun h =>
      term g h st) (seq 0 G))) (seq 0 G)))).
    { apply E_state_le; [exact P|]. intros st E.
      exact (deviations_by_pairs G B p x delta theta st T d (F st E)). }
    rewrite (E_state_total nat p loads (fun g st => total (map (fun h => term g h st) (seq 0 G))))
      .
    apply Rle_trans with (total (map (fun _ : nat => (INR G - 1) * (k * e)) (seq 0 G))).
    - apply total_le, Forall_forall. intros g I. apply in_seq in I.
      rewrite (E_state_total nat p loads (term g)).
      rewrite <- (total_of_others G g) by lia. apply total_le, Forall_forall. intros h J.
      apply in_seq in J. unfold term. destruct (Nat.eqb_spec g h) as [E|ne].
      + rewrite E_state_constant. lra.
      + apply Rle_trans with (E_state p loads (fun st =>
          k * exp (theta * tilt p (pair x delta g h) st) + 0)).
        { apply E_state_le; [exact P|]. intros st _. lra. }
        rewrite (E_state_linear p loads k _ (fun _ => 0)), E_state_constant, Rplus_0_r.
        apply Rmult_le_compat_l; [lra|]. apply moment; auto; lia.
    - rewrite total_constant, seq_length. right.
      replace (p * (1 - p) * s * bennett theta r - theta * t - 1)
        with (p * (1 - p) * s * bennett theta r + (- (theta * t) - 1)) by ring.
      rewrite exp_plus. fold e. unfold k. field. lra. }
  split.
  { intros theta g h T I J ne. eapply Rle_trans; [|exact (moment theta g h T I J ne)].
    apply E_state_le; [exact P|]. intros st E. right. f_equal. f_equal. symmetry.
    destruct (F st E) as [L _]. apply pair_is_a_deviation; lia. }
  split; [exact one|]. split.
  - set (t := INR B * IZR delta). assert (t0 : 0 < t) by (apply Rmult_lt_0_compat; lra).
    set (q := (1 - p) * s). assert (q0 : 0 <= q) by (apply Rmult_le_pos; lra).
    set (D := q + r * t / 3).
    assert (D0 : 0 < D).
    { assert (0 < r * t) by (apply Rmult_lt_0_compat; lra). unfold D. lra. }
    set (theta := t / D). assert (T : 0 < theta) by now apply Rdiv_lt_0_compat.
    eapply Rle_trans; [exact (one theta T)|].
    replace (INR G * (INR G - 1) / theta) with (INR G * (INR G - 1) * (D / t))
      by (unfold theta; field; lra).
    apply Rmult_le_compat_l.
    { apply Rmult_le_pos; [apply Rmult_le_pos; lra|]. left. now apply Rdiv_lt_0_compat. }
    assert (Q : q * bennett theta r <= t * theta / 2).
    { pose proof (exp_bernstein (theta * r) ltac:(apply Rmult_le_pos; lra)) as E.
      replace (2 * (1 - theta * r / 3)) with (2 * q / D) in E
        by (unfold theta; replace q with (D - r * t / 3) by (unfold D; ring); field; lra).
      apply (Rmult_le_reg_l (2 * r ^ 2 / D)).
      { apply Rdiv_lt_0_compat; [|exact D0]. apply Rmult_lt_0_compat; [lra|now apply pow_lt]. }
      unfold bennett. replace (2 * r ^ 2 / D * (q * ((exp (theta * r) - 1 - theta * r) / r ^ 2)))
        with (2 * q / D * (exp (theta * r) - 1 - theta * r)) by (field; lra).
      replace (2 * r ^ 2 / D * (t * theta / 2)) with ((theta * r) ^ 2)
        by (unfold theta; field; lra). exact E. }
    assert (X : p * (1 - p) * s * bennett theta r - theta * (INR B * p * IZR delta) - 1
      <= - (p * t ^ 2 / (2 * (1 - p) * s + 2 / 3 * r * t)) - 1).
    { replace (2 * (1 - p) * s + 2 / 3 * r * t) with (2 * D) by (unfold D, q; field).
      replace (p * t ^ 2 / (2 * D)) with (p * (t * theta / 2)) by (unfold theta; field; lra).
      replace (INR B * p * IZR delta) with (p * t) by (unfold t; ring).
      replace (p * (1 - p) * s) with (p * q) by (unfold q; ring).
      apply (Rmult_le_compat_l p) in Q; [|lra]. lra. }
    destruct X as [X| ->]; [left; now apply exp_increasing|right; reflexivity].
  - apply E_state_le; [exact P|]. intros st E.
    exact (excess_is_a_term G B p x delta st g1 (F st E)).
Qed.
